//! What cloud-init is told: the member's user data, and the root password as a hash.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roadstead_core::{Result, Secret};
use sha_crypt::{PasswordHasher, ShaCrypt};
use uuid::Uuid;

use crate::error::invalid;

/// DigitalOcean's limit, of the text as it is sent.
pub(crate) const USER_DATA_MAX: usize = 64 * 1024;

/// Returns the user data to send.
///
/// # Errors
///
/// `Invalid` on field `rootPassword` or `user_data`.
pub(crate) fn user_data(
    operation: &'static str,
    root_password: Option<&Secret<String>>,
    members: Option<&Secret<String>>,
) -> Result<Option<String>> {
    let members = members
        .map(|it| it.expose().as_str())
        .filter(|it| !it.is_empty());
    let joined = match root_password {
        None => members.map(str::to_owned),
        Some(password) => {
            let ours = cloud_config(&hash(operation, password.expose())?);
            Some(match members {
                None => ours,
                Some(members) => join(operation, members, &ours)?,
            })
        }
    };
    if joined.as_ref().is_some_and(|it| it.len() > USER_DATA_MAX) {
        let message = "the user data, with what the root password needs, exceeds 64 KiB";
        return Err(invalid(operation, "user_data", message));
    }
    Ok(joined)
}

/// Returns the SHA-512-crypt hash of a password.
fn hash(operation: &'static str, password: &str) -> Result<String> {
    let length = password.chars().count();
    if !(8..=128).contains(&length) || password.chars().any(char::is_control) {
        let message = "the password must have 8 to 128 characters and no control characters";
        return Err(invalid(operation, "rootPassword", message));
    }
    // Twelve bytes are the sixteen letters that crypt(3) reads of a salt. A longer one would
    // stand whole in the hash and make it useless.
    let random = Uuid::new_v4();
    let salt = random.as_bytes().get(..12).unwrap_or_default();
    ShaCrypt::SHA512
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|it| it.to_string())
        .map_err(|source| {
            invalid(operation, "rootPassword", "the password cannot be hashed")
                .with_source(source.to_string())
        })
}

/// Returns the part that sets the password and lets root log in with it.
///
/// `chpasswd.list`, which older versions of cloud-init read, is left out on purpose: newer
/// ones then report a degraded boot, on which members' scripts fail.
fn cloud_config(hash: &str) -> String {
    format!(
        "#cloud-config\nchpasswd:\n  expire: false\n  users:\n    - name: root\n      \
         password: \"{hash}\"\n      type: hash\nssh_pwauth: true\ndisable_root: false\n"
    )
}

/// Joins the member's user data and ours into one MIME message. Ours comes last, since of
/// two values for one key cloud-init takes the later.
fn join(operation: &'static str, members: &str, ours: &str) -> Result<String> {
    let Some(content_type) = content_type(members) else {
        let message = "user data that is a MIME message cannot be joined with a root password";
        return Err(invalid(operation, "user_data", message));
    };
    let boundary = format!("roadstead-{}", Uuid::new_v4().simple());
    let mut message =
        format!("Content-Type: multipart/mixed; boundary=\"{boundary}\"\nMIME-Version: 1.0\n\n");
    part(&mut message, &boundary, content_type, members);
    part(&mut message, &boundary, "text/cloud-config", ours);
    // Writing to a `String` cannot fail.
    let _ = writeln!(message, "--{boundary}--");
    Ok(message)
}

fn part(message: &mut String, boundary: &str, content_type: &str, text: &str) {
    // Python's mail parser, which cloud-init uses, garbles raw letters beyond ASCII.
    let (encoding, text) = if text.is_ascii() {
        ("7bit", text.to_owned())
    } else {
        ("base64", STANDARD.encode(text))
    };
    // Writing to a `String` cannot fail.
    let _ = write!(
        message,
        "--{boundary}\nContent-Type: {content_type}; charset=\"utf-8\"\nMIME-Version: 1.0\n\
         Content-Transfer-Encoding: {encoding}\n\n{text}\n"
    );
}

/// Returns the type of user data by its first line, as cloud-init tells them apart; `None`
/// for a MIME message.
fn content_type(text: &str) -> Option<&'static str> {
    let first = text.lines().next().unwrap_or_default().trim_end();
    let lower = first.to_ascii_lowercase();
    if ["content-type:", "mime-version:", "from ", "from:"]
        .iter()
        .any(|it| lower.starts_with(it))
    {
        return None;
    }
    Some(match first {
        it if it.starts_with("#!") => "text/x-shellscript",
        it if it.starts_with("#cloud-config-archive") => "text/cloud-config-archive",
        it if it.starts_with("#cloud-config") => "text/cloud-config",
        it if it.starts_with("#cloud-boothook") => "text/cloud-boothook",
        it if it.starts_with("#include-once") => "text/x-include-once-url",
        it if it.starts_with("#include") => "text/x-include-url",
        it if it.starts_with("#part-handler") => "text/part-handler",
        it if it.starts_with("## template: jinja") => "text/jinja2",
        _ => "text/plain",
    })
}

#[cfg(test)]
mod tests {
    use sha_crypt::PasswordVerifier;

    use super::*;

    fn made(password: Option<&str>, members: Option<&str>) -> Result<Option<String>> {
        user_data(
            "create the instance",
            password.map(Secret::from).as_ref(),
            members.map(Secret::from).as_ref(),
        )
    }

    #[test]
    fn the_hash_is_one_that_crypt_understands_and_the_password_is_never_there() {
        let text = made(Some("correct horse"), None).unwrap().unwrap();
        assert!(!text.contains("correct horse"));
        let hash = text.split('"').nth(1).unwrap();
        let fields: Vec<_> = hash.split('$').collect();
        assert_eq!(
            (fields[1], fields[2], fields[3].len(), fields[4].len()),
            ("6", "rounds=5000", 16, 86)
        );
        ShaCrypt::SHA512
            .verify_password(b"correct horse", hash)
            .unwrap();
        assert_ne!(
            text,
            made(Some("correct horse"), None).unwrap().unwrap(),
            "the salt is random"
        );
    }

    // Made by `openssl passwd -6 -salt saltstring 'Hello world!'`.
    #[test]
    fn the_hash_agrees_with_another_program() {
        let hash = "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLi\
                    BFdcbYEdFCoEOfaS35inz1";
        ShaCrypt::SHA512
            .verify_password(b"Hello world!", hash)
            .unwrap();
    }

    #[test]
    fn weak_and_odd_passwords_are_refused() {
        let long = "x".repeat(129);
        for bad in ["", "1234567", &long, "line\nbreak", "tab\there"] {
            let error = made(Some(bad), None).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("rootPassword"));
            assert!(!format!("{error:?}{error}").contains("break"));
        }
        made(Some("pässwörd"), None).unwrap();
    }

    #[test]
    fn the_members_part_keeps_its_type_and_ours_comes_last() {
        for (members, content_type) in [
            ("#!/bin/sh\necho hi", "text/x-shellscript"),
            ("#cloud-config\nruncmd: []", "text/cloud-config"),
            ("#include\nhttps://example.com", "text/x-include-url"),
            ("hello", "text/plain"),
        ] {
            let text = made(Some("correct horse"), Some(members)).unwrap().unwrap();
            let at = |it: &str| text.find(it).unwrap_or_else(|| panic!("{it} in {text}"));
            assert!(at(content_type) < at(members));
            assert!(at(members) < at("chpasswd:"));
        }
        let text = made(Some("correct horse"), Some("#!/bin/sh\necho ü"))
            .unwrap()
            .unwrap();
        assert!(text.contains(&STANDARD.encode("#!/bin/sh\necho ü")) && text.is_ascii());
    }

    #[test]
    fn without_a_password_user_data_is_left_alone() {
        assert_eq!(made(None, Some("hello")).unwrap().as_deref(), Some("hello"));
        assert_eq!(made(None, Some("")).unwrap(), None);
        assert_eq!(made(None, None).unwrap(), None);
        let mime = "Content-Type: multipart/mixed; boundary=x\n";
        assert_eq!(made(None, Some(mime)).unwrap().as_deref(), Some(mime));
        let error = made(Some("correct horse"), Some(mime)).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("user_data"));
    }

    #[test]
    fn the_joined_size_is_bounded() {
        let fits = "x".repeat(USER_DATA_MAX);
        made(None, Some(&fits)).unwrap();
        for (password, members) in [
            (None, "x".repeat(USER_DATA_MAX + 1)),
            (Some("correct horse"), fits),
        ] {
            let error = made(password, Some(&members)).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("user_data"));
        }
    }
}
