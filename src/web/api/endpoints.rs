//! The API's addresses as Django REST framework would describe them: which methods, which errors,
//! what OPTIONS says. Handlers are beside this file; everything that depends only on the address
//! reads this table.

use rocket::{
    Request,
    http::{MediaType, Method},
};
use serde_json::{Value, json};

/// How an address words its failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `{"detail"}` and field lists.
    Drf,
    /// `{"status": false, "message", "data"}` for refused input.
    Envelope,
    SimpleJwt,
    ObtainToken,
    GenerateToken,
    /// `{"error", "error_description"}` for refused input (RFC 6749, 5.2).
    OAuth,
}

#[derive(Debug)]
pub struct Endpoint {
    /// Without the final slash; `<id>` stands for one segment.
    pub path: &'static str,
    /// Where the same is served.
    pub aliases: &'static [&'static str],
    pub name: &'static str,
    pub description: &'static str,
    pub methods: &'static [Method],
    /// Whether a credential is judged before the method.
    pub guarded: bool,
    pub style: Style,
    /// Whether a browser may ask for a page instead of JSON.
    pub browsable: bool,
    pub vary: &'static str,
    /// Fields of a POST: name, label.
    pub fields: &'static [(&'static str, &'static str)],
}

use Method::{Delete, Get, Head, Options, Patch, Post, Put};

const CREDENTIALS: &[(&str, &str)] = &[("username", "Username"), ("password", "Password")];

const PRESENTED: &[(&str, &str)] = &[("token", "Token"), ("token_type_hint", "Token type hint")];

/// All of them.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        path: "/studentapi",
        aliases: &["/studentsapi"],
        name: "Student Api",
        methods: &[Get, Head, Options, Post],
        ..GUARDED
    },
    Endpoint {
        path: "/studentapi/<id>",
        aliases: &["/studentsapi/<id>"],
        name: "Student Api",
        methods: &[Delete, Get, Head, Options, Patch, Put],
        ..GUARDED
    },
    Endpoint {
        path: "/registerapi",
        name: "Register",
        style: Style::Envelope,
        ..GUARDED
    },
    Endpoint {
        path: "/get-token",
        name: "Get Token",
        style: Style::Envelope,
        ..GUARDED
    },
    // Only with a JSON body; a form on the same address is the sign-in page's.
    Endpoint {
        path: "/login",
        name: "Login",
        style: Style::Envelope,
        ..GUARDED
    },
    Endpoint {
        path: "/api/token",
        name: "Token Obtain Pair",
        description: "Takes a set of user credentials and returns an access and refresh JSON web\n\
                      token pair to prove the authentication of those credentials.",
        fields: CREDENTIALS,
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/api/token/refresh",
        name: "Token Refresh",
        description: "Takes a refresh type JSON web token and returns an access type JSON web\n\
                      token if the refresh token is valid.",
        fields: &[("refresh", "Refresh")],
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/api/token/verify",
        name: "Token Verify",
        description: "Takes a token and indicates if it is valid.  This view provides no\n\
                      information about a token's fitness for a particular use.",
        fields: &[("token", "Token")],
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/api/token/blacklist",
        name: "Token Blacklist",
        description: "Takes a token and blacklists it. Must be used with the\n\
                      `rest_framework_simplejwt.token_blacklist` app installed.",
        fields: &[("refresh", "Refresh")],
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/api/tokens",
        name: "Tokens",
        description: "The caller's API tokens; staff names another owner.",
        methods: &[Get, Head, Options, Post],
        ..GUARDED
    },
    // Before the address of one token, which it would match as well.
    Endpoint {
        path: "/api/tokens/burn",
        name: "Token Burn",
        description: "Ends the given API token at once. Whoever holds it may: it needs no other credential.",
        style: Style::Drf,
        fields: &[("token", "Token")],
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/api/tokens/<id>",
        name: "Token",
        description: "One API token: look at it, rename it, let it end later, revoke it.",
        methods: &[Delete, Get, Head, Options, Patch],
        ..GUARDED
    },
    Endpoint {
        path: "/api/tokens/<id>/rotate",
        name: "Token Rotate",
        description: "A new key under the same name; the old one works on for `grace` seconds.",
        ..GUARDED
    },
    Endpoint {
        path: "/api/introspect",
        name: "Token Introspection",
        description: "What a token is worth at this moment (RFC 7662).",
        style: Style::OAuth,
        fields: PRESENTED,
        ..GUARDED
    },
    Endpoint {
        path: "/api/revoke",
        name: "Token Revocation",
        description: "Ends a token, or the sign-in that a JWT belongs to (RFC 7009).",
        style: Style::OAuth,
        fields: PRESENTED,
        ..GUARDED
    },
    Endpoint {
        path: "/metrics",
        name: "Metrics",
        description: "What the server counts about itself, for Prometheus.",
        methods: &[Get, Head, Options],
        ..GUARDED
    },
    Endpoint {
        path: "/api-token-auth",
        name: "Obtain Auth Token",
        style: Style::ObtainToken,
        browsable: false,
        vary: "Cookie",
        fields: &[
            ("username", "Username"),
            ("password", "Password"),
            ("token", "Token"),
        ],
        ..SIMPLE_JWT
    },
    Endpoint {
        path: "/generate-token",
        name: "Generate Token",
        methods: &[Get, Head, Options, Post],
        style: Style::GenerateToken,
        browsable: false,
        vary: "Accept",
        ..SIMPLE_JWT
    },
];

const GUARDED: Endpoint = Endpoint {
    path: "",
    aliases: &[],
    name: "",
    description: "",
    methods: &[Post, Options],
    guarded: true,
    style: Style::Drf,
    browsable: true,
    vary: "Accept, Cookie",
    fields: &[],
};

const SIMPLE_JWT: Endpoint = Endpoint {
    guarded: false,
    style: Style::SimpleJwt,
    vary: "Accept",
    ..GUARDED
};

impl Endpoint {
    pub fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.path).chain(self.aliases.iter().copied())
    }

    /// The `Allow` header.
    pub fn allow(&self) -> String {
        self.methods
            .iter()
            .map(|m| m.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// What OPTIONS answers.
    pub fn metadata(&self) -> Value {
        let form = "application/x-www-form-urlencoded";
        let (json, multipart) = ("application/json", "multipart/form-data");
        let parses = match self.style {
            Style::ObtainToken => [form, multipart, json],
            _ => [json, form, multipart],
        };
        let renders: &[&str] = if self.browsable {
            &[json, "text/html"]
        } else {
            &[json]
        };
        let mut metadata = json!({
            "name": self.name,
            "description": self.description,
            "renders": renders,
            "parses": parses,
        });
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|(name, label)| {
                // Given back, not taken.
                let read_only = self.style == Style::ObtainToken && *name == "token";
                let about = json!({
                    "type": "string",
                    "required": !read_only && *name != "token_type_hint",
                    "read_only": read_only,
                    "label": label,
                });
                ((*name).to_owned(), about)
            });
            let fields: serde_json::Map<String, Value> = fields.collect();
            metadata["actions"] = json!({"POST": fields});
        }
        metadata
    }
}

/// The endpoint a request is for, if it is for the API.
pub fn of(req: &Request<'_>) -> Option<&'static Endpoint> {
    // Guards, answers and headers all ask.
    req.local_cache(|| Found(look_up(req))).0
}

struct Found(Option<&'static Endpoint>);

fn look_up(req: &Request<'_>) -> Option<&'static Endpoint> {
    let endpoint = find(&segments(req))?;
    if endpoint.path == "/login" && !is_json(req) {
        return None;
    }
    Some(endpoint)
}

/// The path as the router sees it: decoded, without empty segments.
pub fn segments<'r>(req: &'r Request<'_>) -> Vec<&'r str> {
    req.uri().path().segments().collect()
}

fn find(segments: &[&str]) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| {
        endpoint.paths().any(|path| {
            let pattern = path.split('/').skip(1);
            pattern.clone().count() == segments.len()
                && pattern
                    .zip(segments)
                    .all(|(p, s)| p.starts_with('<') || p == *s)
        })
    })
}

fn is_json(req: &Request<'_>) -> bool {
    req.content_type()
        .is_some_and(|ct| *ct.media_type() == MediaType::JSON)
}
