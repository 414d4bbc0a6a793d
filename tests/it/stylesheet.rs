//! The colours of `static/app.css`, computed as WCAG 2.2 does: what is read and what is pressed stands out in both themes.

use std::collections::HashMap;

/// What is written on what: at least 4.5 to 1 (1.4.3).
const TEXT: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "bg",
            "surface",
            "sunken",
            "raised",
            "hover",
            "accent-soft",
            "ok-soft",
            "warn-soft",
            "bad-soft",
        ],
    ),
    ("muted", &["bg", "surface", "sunken", "raised", "hover"]),
    (
        "accent-ink",
        &["bg", "surface", "sunken", "raised", "hover", "accent-soft"],
    ),
    (
        "on-accent",
        &["accent", "accent-hover", "bad-fill", "bad-fill-hover"],
    ),
    ("ok", &["surface", "raised", "ok-soft"]),
    ("warn", &["surface", "raised", "warn-soft"]),
    ("bad", &["surface", "raised", "hover", "bad-soft"]),
];

/// What has to be made out, not read: at least 3 to 1 (1.4.11).
const SHAPES: &[(&str, &[&str])] = &[
    ("edge", &["bg", "surface", "sunken"]),
    ("accent", &["bg", "surface"]),
    ("accent-ink", &["bg", "surface", "sunken"]),
    ("chart-1", &["surface"]),
    ("chart-2", &["surface"]),
    ("chart-3", &["surface"]),
];

/// `--name: light-dark(#aaaaaa, #bbbbbb);` or one colour for both.
fn tokens() -> HashMap<String, [String; 2]> {
    let css = std::fs::read_to_string("static/app.css").unwrap();
    let mut tokens = HashMap::new();
    for line in css.lines() {
        let Some((name, value)) = line
            .trim()
            .strip_prefix("--")
            .and_then(|l| l.split_once(": "))
        else {
            continue;
        };
        let colours: Vec<&str> = value
            .split(['(', ')', ',', ';', ' '])
            .filter(|part| part.len() == 7 && part.starts_with('#'))
            .collect();
        if let (Some(light), Some(dark)) = (colours.first(), colours.last()) {
            tokens.insert(name.to_owned(), [light, dark].map(|c| (*c).to_owned()));
        }
    }
    tokens
}

/// Relative luminance.
fn luminance(colour: &str) -> f64 {
    let channel = |at: usize| {
        let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        if part <= 0.04045 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn what_is_read_and_what_is_pressed_stands_out_in_both_themes() {
    let tokens = tokens();
    for (pairs, least) in [(TEXT, 4.5), (SHAPES, 3.0)] {
        for (front, backs) in pairs {
            for back in *backs {
                for (theme, name) in ["light", "dark"].into_iter().enumerate() {
                    let found = contrast(&tokens[*front][theme], &tokens[*back][theme]);
                    assert!(
                        found >= least,
                        "{front} on {back}, {name}: {found:.2}, not {least}"
                    );
                }
            }
        }
    }
}

#[test]
fn contrast_is_what_wcag_says() {
    assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 0.001);
    assert!((contrast("#777777", "#ffffff") - 4.48).abs() < 0.01);
}
