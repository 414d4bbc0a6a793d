//! What is shipped beside the binary: completions, manual pages, the systemd unit.

use std::{
    path::Path,
    process::{Command, Output},
};

use crate::support::{Program, find_program, folder, without};

fn packaged(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging");
    std::fs::read_to_string(path.join(name)).unwrap()
}

#[track_caller]
fn silent(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn completions_and_manual_need_no_settings_and_know_every_command() {
    let program = Program::new();
    std::fs::write(program.folder().join("Rocket.toml"), "not = [toml").unwrap();
    let page = program.succeeds(&["man"]);
    assert!(page.contains(".TH latchkey 1"), "{page}");
    let scripts = ["bash", "zsh", "fish"].map(|shell| program.succeeds(&["completions", shell]));
    let help = program.succeeds(&["--help"]);
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands: Vec<_> = commands
        .lines()
        .take_while(|line| !line.is_empty())
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert!(commands.len() > 10, "{help}");
    for command in commands {
        let escaped = command.replace('-', "\\-");
        assert!(page.contains(&escaped), "{command} is not in the manual");
        for script in &scripts {
            assert!(script.contains(command), "{command} is not completed");
        }
    }
    let all = std::fs::read_dir(program.folder()).unwrap().count();
    assert_eq!(all, 1, "neither a database nor a secret was made");
}

#[test]
fn every_command_has_a_manual_page_and_bash_reads_its_completions() {
    let program = Program::new();
    program.succeeds(&["man", "--to", "pages"]);
    let pages = program.folder().join("pages");
    for page in [
        "latchkey.1",
        "latchkey-backup.1",
        "latchkey-tokens-create.1",
    ] {
        assert!(pages.join(page).is_file(), "{page}");
    }
    let Some(bash) = find_program("bash") else {
        return without("bash");
    };
    let script = program.folder().join("completions");
    std::fs::write(&script, program.succeeds(&["completions", "bash"])).unwrap();
    silent(&Command::new(bash).arg("-n").arg(script).output().unwrap());
}

/// As it is shipped, but for the place of the binary.
#[test]
fn systemd_takes_the_unit_and_finds_it_well_fenced() {
    let Some(analyze) = find_program("systemd-analyze") else {
        return without("systemd-analyze");
    };
    let folder = folder();
    let unit = folder.path().join("latchkey.service");
    let text = packaged("latchkey.service");
    assert!(text.contains("ExecStart=/usr/bin/latchkey serve\n"));
    let text = text.replace("/usr/bin/latchkey", env!("CARGO_BIN_EXE_latchkey"));
    std::fs::write(&unit, text).unwrap();
    let verified = Command::new(&analyze)
        .args(["verify", "--man=no"])
        .arg(&unit)
        .output()
        .unwrap();
    silent(&verified);
    // Of 100; without any fence it is 96.
    let judged = Command::new(&analyze)
        .args(["security", "--offline=true", "--threshold=15"])
        .arg(&unit)
        .output()
        .unwrap();
    assert!(judged.status.success(), "{judged:?}");
}

/// The units that docs/scaling.md gives to paste, each with its path in the first line.
#[test]
fn systemd_takes_the_units_of_the_guide() {
    let Some(analyze) = find_program("systemd-analyze") else {
        return without("systemd-analyze");
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scaling.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let folder = folder();
    let mut units = Vec::new();
    for block in guide.split("```ini\n# /etc/systemd/system/").skip(1) {
        let (name, text) = block.split_once('\n').unwrap();
        let unit = folder.path().join(name);
        std::fs::write(&unit, text.split("```").next().unwrap()).unwrap();
        units.push(unit);
    }
    assert_eq!(units.len(), 2);
    let verified = Command::new(&analyze)
        .args(["verify", "--man=no"])
        .args(&units)
        .output()
        .unwrap();
    silent(&verified);
}
