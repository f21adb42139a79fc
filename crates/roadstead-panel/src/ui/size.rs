//! Sizes as people read them.

use roadstead_core::MiB;

/// Says how much memory that is.
pub(crate) fn memory(size: MiB) -> String {
    let MiB(mib) = size;
    if mib >= 1024 && mib.is_multiple_of(512) {
        let (whole, half) = (mib / 1024, mib % 1024 != 0);
        return format!("{whole}{} GiB", if half { ".5" } else { "" });
    }
    format!("{mib} MiB")
}

/// Says how large a disk is; some servers have none of their own.
pub(crate) fn disk(size: Option<MiB>) -> String {
    size.map_or_else(
        || "bought apart".to_owned(),
        |it| format!("{} GiB", it.whole_gib()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_exact() {
        for (mib, said) in [
            (512, "512 MiB"),
            (1024, "1 GiB"),
            (1536, "1.5 GiB"),
            (1000, "1000 MiB"),
            (1100, "1100 MiB"),
            (4096, "4 GiB"),
        ] {
            assert_eq!(memory(MiB(mib)), said);
        }
        assert_eq!(disk(Some(MiB::from_gib(25))), "25 GiB");
        assert_eq!(disk(None), "bought apart");
    }
}
