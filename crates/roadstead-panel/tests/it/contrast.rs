//! The colors of the style sheet: legible in both themes.

use std::collections::HashMap;

use roadstead_panel::STYLE;

/// Text on what it stands on.
const TEXTS: [(&str, &[&str]); 9] = [
    (
        "text",
        &[
            "bg",
            "surface",
            "surface-2",
            "info-tint",
            "ok-tint",
            "warn-tint",
            "danger-tint",
        ],
    ),
    ("muted", &["bg", "surface", "surface-2", "info-tint"]),
    (
        "accent",
        &[
            "bg",
            "surface",
            "surface-2",
            "info-tint",
            "ok-tint",
            "warn-tint",
        ],
    ),
    ("on-accent", &["accent"]),
    ("on-danger", &["danger"]),
    ("ok", &["bg", "ok-tint"]),
    ("warn", &["bg", "surface", "warn-tint"]),
    ("danger", &["bg", "surface", "danger-tint"]),
    ("chart-1", &["bg"]),
];

/// Lines that tell where something is.
const LINES: [(&str, &[&str]); 5] = [
    ("line-strong", &["bg", "surface"]),
    ("accent", &["bg", "surface", "surface-2"]),
    ("chart-2", &["bg"]),
    ("chart-3", &["bg"]),
    ("chart-4", &["bg"]),
];

#[test]
fn texts_and_lines_stand_out_in_both_themes() {
    let tokens = tokens();
    for (least, pairs) in [(4.5, &TEXTS[..]), (3.0, &LINES[..])] {
        for (above, below) in pairs {
            for below in *below {
                for theme in [0, 1] {
                    let [above_color, below_color] = [above, below].map(|it| tokens[*it][theme]);
                    let contrast = contrast(above_color, below_color);
                    assert!(
                        contrast >= least,
                        "{above} on {below} in theme {theme}: {contrast:.2}"
                    );
                }
            }
        }
    }
}

#[test]
fn every_color_is_a_token() {
    let css = std::str::from_utf8(STYLE).unwrap();
    let (tokens, rest) = css.split_once("@layer base {").unwrap();
    assert!(tokens.contains("light-dark("));
    // A shadow is black in both themes.
    let rest = rest.replace("rgb(0 0 0 /", "");
    for sign in ["rgb(", "hsl(", "light-dark(", ": #", " #fff", " #000"] {
        assert!(!rest.contains(sign), "`{sign}` outside the tokens");
    }
}

fn tokens() -> HashMap<String, [[f64; 3]; 2]> {
    let css = std::str::from_utf8(STYLE).unwrap();
    let declared = css.lines().filter_map(|it| {
        let (name, value) = it.trim().strip_prefix("--")?.split_once(": light-dark(")?;
        let (light, dark) = value.strip_suffix(");")?.split_once(", ")?;
        Some((name.to_owned(), [color(light), color(dark)]))
    });
    let tokens: HashMap<_, _> = declared.collect();
    assert!(tokens.len() > 20, "{tokens:?}");
    tokens
}

fn color(hex: &str) -> [f64; 3] {
    let hex = hex.strip_prefix('#').unwrap();
    let digits: Vec<_> = hex.chars().map(|it| it.to_digit(16).unwrap()).collect();
    let bytes: Vec<_> = match digits.len() {
        3 => digits.iter().map(|it| it * 17).collect(),
        6 => digits.chunks(2).map(|it| it[0] * 16 + it[1]).collect(),
        _ => panic!("`{hex}` is no color"),
    };
    [bytes[0], bytes[1], bytes[2]].map(|it| f64::from(it) / 255.0)
}

/// The contrast of WCAG 2.
fn contrast(one: [f64; 3], other: [f64; 3]) -> f64 {
    let luminance = |color: [f64; 3]| {
        let [red, green, blue] = color.map(|it| {
            if it <= 0.040_45 {
                it / 12.92
            } else {
                ((it + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}
