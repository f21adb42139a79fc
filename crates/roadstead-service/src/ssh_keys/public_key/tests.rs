//! Keys as people paste them, right and wrong.

use super::*;

// Made by `ssh-keygen`, their fingerprints by `ssh-keygen -l`.
const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH8dhWpyvp5jIsTgdOFneH94EhzugdX6n9SlAGprmSIS someone@example";
const ECDSA_256: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBH3yqg/rl9GpCOXERgK/KYNwDaK8l1roOeQwz8Hq44Ws5YrxHH2T5V3doGN7EUzsVgl9c97hav/aix4w8UhUmvA= someone@example";
const ECDSA_384: &str = "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBL4I36lVfAOgDBwaxXycK45G2Yn54M+j6OTR7t/jEQbPbkU7+cjbrOPYEMxsVqCLucegEuA8GTmnOX5gma2ewRCY1Adu66UA4Mp/LtawiyxmeZtavIdJzREeCbItHJfemw== someone@example";
const ECDSA_521: &str = "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBACMoIvP5ueWl142Lbi/90rO9Fxnp9r4FKaeyO5xYt8aRWhqVHUo19PJcJ68JNHdogQvVCKV95wvxcqxiNTA/h384gDGtSd9QBvv2SYs1dO9NBrIEljD7TBJGjMwJ6vC5haPFscbkBhQwQ70Q0hB0pH9bE8E/4sM6gYbUDT6xdVhqMuQaA== someone@example";
const RSA_2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCaR8oUdCpSLsS9AR7+NZkNxLahr6kXDoEaRc+aXAx0b1QZCXe5qT9bb0OBVPuUwNdjw/H9rrQyb8MfA21ZAU57HN3z5VWREsNIzZTIVDoK73SZPWUEtTypL3XLjz8HJlcBiCynAZ8QLolD5oYv1RZ4xEc8HYlYEwt63aUOuGa1q27d+GJeuv2OMEEHZgjWWz3J2T39DQFlnKUvtIjIm69uz0IHB1PG3zEgi3pgWJ2ku/cyC5A66Kh741d85077ArgCYQZFtL6b93n7OVDUPTFALkFUo0T9b8wh0TZ0UvQ9fJdqYv5A9XWq2f8MN091xci/CJLmLhRAHpeDcEpNuVxl someone@example";
const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCx9LhRYMM4XkFXqtuVvcPsRovc63zwmGt0IftxeppQ/fGgraJSiadqmCz75AR4hB/AwYq9DHRle7yRTqhoe7WBukAik5o8yarUKLth31Gea3rONCSiG8n4R+s6eFeahJs4XFXGnIlExBZn1vmbYDugmeKvutEPk42V4bbw0AgQOQ== someone@example";

fn refusal(text: &str) -> String {
    PublicKey::parse(text).unwrap_err()
}

fn body(text: &str) -> Vec<u8> {
    BASE64.decode(text.split(' ').nth(1).unwrap()).unwrap()
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    [&length[..], bytes].concat()
}

/// Writes a key from its parts.
fn line(kind: &str, parts: &[&[u8]]) -> String {
    let mut bytes = string(kind.as_bytes());
    for part in parts {
        bytes.extend(string(part));
    }
    format!("{kind} {}", BASE64.encode(bytes))
}

fn point(half: usize) -> Vec<u8> {
    let mut point = vec![7; 1 + 2 * half];
    point[0] = 4;
    point
}

#[test]
fn every_kind_that_is_accepted_has_the_fingerprint_that_ssh_keygen_prints() {
    for (text, kind, fingerprint) in [
        (
            ED25519,
            "ssh-ed25519",
            "SHA256:Ike36bDIpaFRaPl8PuMjF9qiRRpO30CKVbRAQSnoNjE",
        ),
        (
            ECDSA_256,
            "ecdsa-sha2-nistp256",
            "SHA256:44fbuPPw3rUm9soVDYJnagTbacyh8KimebHEBf7W1eg",
        ),
        (
            ECDSA_384,
            "ecdsa-sha2-nistp384",
            "SHA256:hLzWSSFnMtbhRSuM1qi4zFqeX+dvnj07KgfWv36g91c",
        ),
        (
            ECDSA_521,
            "ecdsa-sha2-nistp521",
            "SHA256:Ucs0gaGW8O7abuQmycs3+GpsLi/3K7OKCkHjt8WHUN4",
        ),
        (
            RSA_2048,
            "ssh-rsa",
            "SHA256:CXmZM4rDug9K9ZFed827zEoQ5jNLB1fhxquZ2fgPazw",
        ),
    ] {
        let key = PublicKey::parse(text).unwrap();
        assert_eq!((key.kind, key.fingerprint.as_str()), (kind, fingerprint));
        assert_eq!(key.comment, "someone@example");
        assert_eq!(key.line(), text);
    }
}

#[test]
fn keys_that_live_in_hardware_are_accepted() {
    let ed25519 = line("sk-ssh-ed25519@openssh.com", &[&[7; 32], b"ssh:"]);
    let ecdsa = line(
        "sk-ecdsa-sha2-nistp256@openssh.com",
        &[b"nistp256", &point(32), b"ssh:"],
    );
    for text in [ed25519, ecdsa] {
        assert_eq!(PublicKey::parse(&text).unwrap().line(), text);
    }
}

#[test]
fn what_is_written_differently_is_the_same_key() {
    let bare = PublicKey::parse(ED25519.rsplit_once(' ').unwrap().0).unwrap();
    assert_eq!(bare.comment, "");
    assert_eq!(bare.line(), bare.text);
    let padded = ECDSA_256.replace(" someone@example", "");
    let unpadded = padded.trim_end_matches('=');
    assert_ne!(padded, unpadded);
    assert_eq!(PublicKey::parse(unpadded), PublicKey::parse(&padded));
    let spaced = format!(
        "  {}\t \t of two words \r\n",
        ED25519.replace(" someone@example", "").replace(' ', "\t ")
    );
    let key = PublicKey::parse(&spaced).unwrap();
    assert_eq!((key.text, key.fingerprint), (bare.text, bare.fingerprint));
    assert_eq!(key.comment, "of two words");
}

#[test]
fn a_private_key_is_refused_as_such_and_not_repeated() {
    for text in [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow",
        "  -----BEGIN ENCRYPTED PRIVATE KEY-----",
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none",
        // With everything before it that may come along.
        "cat .ssh/id_rsa\n-----BEGIN EC PRIVATE KEY-----",
    ] {
        assert!(is_meant_as_key(text), "{text}");
        let refusal = refusal(text);
        assert!(refusal.starts_with("this is a private key"), "{refusal}");
        assert!(!refusal.contains("b3Blb") && !refusal.contains("MIIEow"));
    }
}

#[test]
fn weak_keys_are_refused_by_their_size() {
    let refusal = refusal(RSA_1024);
    assert!(
        refusal.starts_with("this RSA key has 1024 bits"),
        "{refusal}"
    );
    let mut modulus = vec![0xff; 2048];
    modulus.insert(0, 0);
    let largest = line("ssh-rsa", &[&[1, 0, 1], &modulus]);
    assert!(PublicKey::parse(&largest).is_ok());
    // One bit more, and one bit less than the least.
    modulus[0] = 1;
    let text = line("ssh-rsa", &[&[1, 0, 1], &modulus]);
    assert!(self::refusal(&text).contains("at most 16384 bits"));
    let mut modulus = vec![0xff; 256];
    modulus[0] = 0x7f;
    let text = line("ssh-rsa", &[&[1, 0, 1], &modulus]);
    assert!(self::refusal(&text).contains("has 2047 bits"));
    assert!(self::refusal("ssh-dss AAAAB3NzaC1kc3M=").contains("DSA"));
}

#[test]
fn what_is_no_key_is_refused() {
    let two_lines = format!("{ED25519}\n{ED25519}");
    let long_comment = format!("{ED25519} {}", "x".repeat(256));
    let control = format!("{ED25519} \u{7}");
    let endless = format!("ssh-ed25519 {}", "A".repeat(10_000));
    let certificate = "ssh-ed25519-cert-v01@openssh.com AAAA";
    let even = line("ssh-rsa", &[&[1, 0, 0], &[0x7f; 300]]);
    let negative = line("ssh-rsa", &[&[1, 0, 1], &[0xff; 256]]);
    let zeros = line("ssh-rsa", &[&[1, 0, 1], &[0; 257]]);
    let short = line("ssh-ed25519", &[&[7; 31]]);
    let compressed = line("ecdsa-sha2-nistp256", &[b"nistp256", &[2; 33]]);
    let other_curve = line("ecdsa-sha2-nistp256", &[b"nistp384", &point(48)]);
    let no_application = line("sk-ssh-ed25519@openssh.com", &[&[7; 32]]);
    let longer = line("ssh-ed25519", &[&[7; 32], b"more"]);
    let renamed = ED25519.replace("ssh-ed25519", "ssh-rsa");
    for (text, says) in [
        ("", NO_KEY),
        ("512189", NO_KEY),
        ("no key at all", NO_KEY),
        ("from=\"10.0.0.1\" ssh-ed25519 AAAA", NO_KEY),
        ("ssh-ed25519", BROKEN),
        ("ssh-ed25519 !!!", BROKEN),
        ("ssh-ed25519 AAAA", BROKEN),
        (&ED25519[..60], BROKEN),
        ("ssh-ed448 AAAA", "keys of this kind are not accepted"),
        (certificate, "this is a certificate"),
        ("-----BEGIN PUBLIC KEY-----\nMCowBQ", OTHER_FORM),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", OTHER_FORM),
        (&two_lines, "give one key"),
        (&long_comment, "the comment behind the key"),
        (&control, "the comment behind the key"),
        (&endless, "a public key has at most"),
        (&even, BROKEN),
        (&negative, BROKEN),
        (&zeros, BROKEN),
        (&short, BROKEN),
        (&compressed, BROKEN),
        (&other_curve, BROKEN),
        (&no_application, BROKEN),
        (&longer, BROKEN),
        (&renamed, BROKEN),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with(says), "{text}: {refusal}");
    }
}

#[test]
fn cut_off_anywhere_a_key_is_refused_and_nothing_panics() {
    for text in [ED25519, ECDSA_256, ECDSA_521, RSA_2048] {
        let bytes = body(text);
        let kind = text.split(' ').next().unwrap();
        for end in 0..bytes.len() {
            let cut = format!("{kind} {}", BASE64.encode(&bytes[..end]));
            assert_eq!(refusal(&cut), BROKEN, "{end}");
        }
        let mut huge = bytes.clone();
        huge[..4].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(refusal(&format!("{kind} {}", BASE64.encode(huge))), BROKEN);
    }
}

#[test]
fn ids_of_vendors_are_not_taken_for_keys() {
    for id in [
        "512189",
        "3b:16:bf:e4:8b:00:8b:b8:59:8c:a9:d3:f0:19:45:fa",
        "",
        "0193e6a2-0b1c",
    ] {
        assert!(!is_meant_as_key(id), "{id}");
    }
    for key in [ED25519, "ssh-ed25519", "no key at all"] {
        assert!(is_meant_as_key(key), "{key}");
    }
}
