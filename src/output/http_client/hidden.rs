//! What a far end repeats of the secrets that it was sent is told to nobody. Pure.

use std::cmp::Reverse;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Words as short as this are no secret, and hiding them would spoil every sentence; bytes.
pub(super) const SHORTEST: usize = 6;

/// Secrets of one receiver, in every form in which it may repeat them.
#[derive(Clone, Default)]
pub struct Hidden(Vec<String>);

impl Hidden {
    /// Of `secrets`; what is a header is hidden as a whole, and what stands in it after `Bearer` or `Basic`.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s str>) -> Self {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().map(str::trim) {
            forms.extend(shown_as(secret));
            let Some((_scheme, credentials)) = secret.split_once(' ') else {
                continue;
            };
            forms.extend(shown_as(credentials.trim()));
            let login = STANDARD.decode(credentials.trim()).ok();
            if let Some(login) = login.and_then(|login| String::from_utf8(login).ok()) {
                let password = login.split_once(':').map(|(_user, password)| password);
                forms.extend(password.into_iter().flat_map(shown_as));
                forms.extend(shown_as(&login));
            }
        }
        forms.retain(|form| form.len() >= SHORTEST);
        // The longest first, so that no part of it is left over.
        forms.sort_by_key(|form| Reverse(form.len()));
        forms.dedup();
        Self(forms)
    }

    /// `text` without any of them.
    pub fn hide(&self, text: &str) -> String {
        let hidden = |text: String, form: &String| text.replace(form, "***");
        self.0.iter().fold(text.to_owned(), hidden)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// As it is, in base64, in an address, and in a JSON string.
fn shown_as(secret: &str) -> Vec<String> {
    let json = serde_json::to_string(secret).expect("a text always serializes");
    let json = json.trim_matches('"').to_owned();
    let bare = |text: String| text.trim_end_matches('=').to_owned();
    vec![
        secret.to_owned(),
        bare(STANDARD.encode(secret)),
        bare(URL_SAFE.encode(secret)),
        in_address(secret),
        json,
    ]
}

fn in_address(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let coded = text.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    coded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_in_every_form_in_which_it_may_come_back() {
        let key = "R0/234+6789ABCDEF\"0123456789ABCD";
        let hidden = Hidden::of([key, "Bearer t0ken-of-20-letters", "Basic bGk6cGFzc3dvcmQ="]);
        for echo in [
            key,
            "R0%2F234%2B6789ABCDEF%220123456789ABCD",
            r#"R0/234+6789ABCDEF\"0123456789ABCD"#,
            &STANDARD.encode(key),
            "Bearer t0ken-of-20-letters",
            "t0ken-of-20-letters",
            "bGk6cGFzc3dvcmQ=",
            "li:password",
            "password",
        ] {
            let told = hidden.hide(&format!("unknown \"{echo}\", see help"));
            let told = told.replace("***=", "***");
            assert_eq!(told, "unknown \"***\", see help", "{echo}");
        }
        assert_eq!(format!("{hidden:?}"), "***");
    }

    #[test]
    fn what_is_short_is_no_secret() {
        let hidden = Hidden::of(["north", "", "Bearer"]);
        assert_eq!(hidden.hide("no Bear in the north"), "no Bear in the north");
    }
}
