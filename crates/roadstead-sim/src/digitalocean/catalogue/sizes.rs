//! The droplet sizes on sale: a frozen price list in the vendor's shape, not today's prices.

use super::regions::{CURRENT, EVERYWHERE, FEW, GPU, MAIN, NOWHERE};

/// One size as the price list states it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) slug: &'static str,
    pub(crate) memory_mib: u64,
    pub(crate) vcpus: u64,
    pub(crate) disk_gib: u64,
    pub(crate) transfer_tib: f64,
    pub(crate) price_monthly: f64,
    pub(crate) description: &'static str,
    pub(crate) regions: &'static [&'static str],
    pub(crate) available: bool,
    pub(crate) gpu: Option<Gpu>,
}

/// The accelerators of a size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gpu {
    pub(crate) count: u64,
    pub(crate) model: &'static str,
    pub(crate) vram_gib: u64,
    pub(crate) scratch_gib: u64,
}

impl Size {
    /// Returns the size called `slug`.
    pub(crate) fn find(slug: &str) -> Option<&'static Self> {
        SIZES.iter().find(|it| it.slug == slug)
    }

    /// Returns whether new droplets of this size may be made in `region`.
    pub(crate) fn is_sold_in(&self, region: &str) -> bool {
        self.regions.contains(&region)
    }

    /// Returns the hourly price with the noise of the vendor's 32-bit floats.
    pub(crate) fn price_hourly(&self) -> f64 {
        // The vendor publishes five places, keeps them as a 32-bit float and
        // prints fifteen digits of it: 0.00744 becomes 0.00743999984115362.
        let published = format!("{:.5}", self.price_monthly / 672.0);
        let single: f32 = published.parse().unwrap_or_default();
        let printed = format!("{:.14e}", f64::from(single));
        printed.parse().unwrap_or_default()
    }

    const fn sold_out(mut self) -> Self {
        self.available = false;
        self
    }

    const fn gpu(
        mut self,
        count: u64,
        model: &'static str,
        vram_gib: u64,
        scratch_gib: u64,
    ) -> Self {
        self.gpu = Some(Gpu {
            count,
            model,
            vram_gib,
            scratch_gib,
        });
        self
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "a row of the table below reads best in one line"
)]
const fn size(
    slug: &'static str,
    memory_mib: u64,
    vcpus: u64,
    disk_gib: u64,
    transfer_tib: f64,
    price_monthly: f64,
    description: &'static str,
    regions: &'static [&'static str],
) -> Size {
    Size {
        slug,
        memory_mib,
        vcpus,
        disk_gib,
        transfer_tib,
        price_monthly,
        description,
        regions,
        available: true,
        gpu: None,
    }
}

/// Every size, cheapest first, the ones with accelerators last.
#[rustfmt::skip]
pub(crate) const SIZES: &[Size] = &[
    size("s-1vcpu-512mb-10gb", 512, 1, 10, 0.5, 4.0, "Basic", EVERYWHERE),
    size("s-1vcpu-1gb", 1024, 1, 25, 1.0, 6.0, "Basic", EVERYWHERE),
    size("s-1vcpu-1gb-amd", 1024, 1, 25, 1.0, 7.0, "Premium AMD", CURRENT),
    size("s-1vcpu-1gb-intel", 1024, 1, 25, 1.0, 7.0, "Premium Intel", CURRENT),
    size("s-1vcpu-1gb-35gb-intel", 1024, 1, 35, 1.0, 8.0, "Premium Intel", CURRENT),
    size("s-1vcpu-2gb", 2048, 1, 50, 2.0, 12.0, "Basic", EVERYWHERE),
    size("s-1vcpu-2gb-amd", 2048, 1, 50, 2.0, 14.0, "Premium AMD", CURRENT),
    size("s-1vcpu-2gb-intel", 2048, 1, 50, 2.0, 14.0, "Premium Intel", CURRENT),
    size("s-1vcpu-3gb", 3072, 1, 60, 3.0, 15.0, "Basic", NOWHERE).sold_out(),
    size("s-3vcpu-1gb", 1024, 3, 60, 3.0, 15.0, "Basic", NOWHERE).sold_out(),
    size("s-1vcpu-2gb-70gb-intel", 2048, 1, 70, 2.0, 16.0, "Premium Intel", CURRENT),
    size("s-2vcpu-2gb", 2048, 2, 60, 3.0, 18.0, "Basic", EVERYWHERE),
    size("s-2vcpu-2gb-amd", 2048, 2, 60, 3.0, 21.0, "Premium AMD", CURRENT),
    size("s-2vcpu-2gb-intel", 2048, 2, 60, 3.0, 21.0, "Premium Intel", CURRENT),
    size("s-2vcpu-4gb", 4096, 2, 80, 4.0, 24.0, "Basic", EVERYWHERE),
    size("s-2vcpu-2gb-90gb-intel", 2048, 2, 90, 3.0, 24.0, "Premium Intel", CURRENT),
    size("s-2vcpu-4gb-amd", 4096, 2, 80, 4.0, 28.0, "Premium AMD", CURRENT),
    size("s-2vcpu-4gb-intel", 4096, 2, 80, 4.0, 28.0, "Premium Intel", CURRENT),
    size("s-2vcpu-4gb-120gb-intel", 4096, 2, 120, 4.0, 32.0, "Premium Intel", CURRENT),
    size("s-2vcpu-8gb-amd", 8192, 2, 100, 5.0, 42.0, "Premium AMD", CURRENT),
    size("c-2", 4096, 2, 25, 4.0, 42.0, "CPU-Optimized", CURRENT),
    size("c2-2vcpu-4gb", 4096, 2, 50, 4.0, 47.0, "CPU-Optimized 2x SSD", CURRENT),
    size("s-4vcpu-8gb", 8192, 4, 160, 5.0, 48.0, "Basic", EVERYWHERE),
    size("s-2vcpu-8gb-160gb-intel", 8192, 2, 160, 5.0, 48.0, "Premium Intel", CURRENT),
    size("s-4vcpu-8gb-amd", 8192, 4, 160, 5.0, 56.0, "Premium AMD", CURRENT),
    size("s-4vcpu-8gb-intel", 8192, 4, 160, 5.0, 56.0, "Premium Intel", CURRENT),
    size("g-2vcpu-8gb", 8192, 2, 25, 4.0, 63.0, "General Purpose", CURRENT),
    size("s-4vcpu-8gb-240gb-intel", 8192, 4, 240, 6.0, 64.0, "Premium Intel", CURRENT),
    size("gd-2vcpu-8gb", 8192, 2, 50, 4.0, 68.0, "General Purpose 2x SSD", CURRENT),
    size("g-2vcpu-8gb-intel", 8192, 2, 30, 4.0, 76.0, "General Purpose — Premium Intel", MAIN),
    size("s-6vcpu-16gb", 16384, 6, 320, 6.0, 80.0, "Basic", NOWHERE).sold_out(),
    size("gd-2vcpu-8gb-intel", 8192, 2, 60, 4.0, 82.0, "General Purpose — Premium Intel", MAIN),
    size("s-4vcpu-16gb-amd", 16384, 4, 200, 8.0, 84.0, "Premium AMD", CURRENT),
    size("c-4", 8192, 4, 50, 5.0, 84.0, "CPU-Optimized", CURRENT),
    size("m-2vcpu-16gb", 16384, 2, 50, 4.0, 84.0, "Memory-Optimized", MAIN),
    size("c2-4vcpu-8gb", 8192, 4, 100, 5.0, 94.0, "CPU-Optimized 2x SSD", CURRENT),
    size("s-8vcpu-16gb", 16384, 8, 320, 6.0, 96.0, "Basic", EVERYWHERE),
    size("s-4vcpu-16gb-320gb-intel", 16384, 4, 320, 8.0, 96.0, "Premium Intel", CURRENT),
    size("m3-2vcpu-16gb", 16384, 2, 150, 4.0, 104.0, "Memory-Optimized", FEW),
    size("c-4-intel", 8192, 4, 50, 5.0, 109.0, "Premium CPU-Optimized", MAIN),
    size("s-8vcpu-16gb-amd", 16384, 8, 320, 6.0, 112.0, "Premium AMD", CURRENT),
    size("s-8vcpu-16gb-intel", 16384, 8, 320, 6.0, 112.0, "Premium Intel", CURRENT),
    size("c2-4vcpu-8gb-intel", 8192, 4, 100, 5.0, 122.0, "Premium CPU-Optimized", MAIN),
    size("g-4vcpu-16gb", 16384, 4, 50, 5.0, 126.0, "General Purpose", CURRENT),
    size("s-8vcpu-16gb-480gb-intel", 16384, 8, 480, 9.0, 128.0, "Premium Intel", CURRENT),
    size("m6-2vcpu-16gb", 16384, 2, 300, 4.0, 131.0, "Memory-Optimized", FEW),
    size("so-2vcpu-16gb", 16384, 2, 300, 4.0, 131.0, "Storage-Optimized", FEW),
    size("gd-4vcpu-16gb", 16384, 4, 100, 5.0, 136.0, "General Purpose 2x SSD", CURRENT),
    size("g-4vcpu-16gb-intel", 16384, 4, 60, 5.0, 151.0, "General Purpose — Premium Intel", MAIN),
    size("s-8vcpu-32gb", 32768, 8, 640, 7.0, 160.0, "Basic", NOWHERE).sold_out(),
    size("gd-4vcpu-16gb-intel", 16384, 4, 120, 5.0, 163.0, "General Purpose — Premium Intel", MAIN),
    size("so1_5-2vcpu-16gb", 16384, 2, 450, 4.0, 163.0, "Storage-Optimized 1.5x SSD", FEW),
    size("s-8vcpu-32gb-amd", 32768, 8, 400, 10.0, 168.0, "Premium AMD", CURRENT),
    size("c-8", 16384, 8, 100, 6.0, 168.0, "CPU-Optimized", CURRENT),
    size("m-4vcpu-32gb", 32768, 4, 100, 5.0, 168.0, "Memory-Optimized", MAIN),
    size("c2-8vcpu-16gb", 16384, 8, 200, 6.0, 188.0, "CPU-Optimized 2x SSD", CURRENT),
    size("s-8vcpu-32gb-640gb-intel", 32768, 8, 640, 10.0, 192.0, "Premium Intel", CURRENT),
    size("m3-4vcpu-32gb", 32768, 4, 300, 5.0, 208.0, "Memory-Optimized", FEW),
    size("c-8-intel", 16384, 8, 100, 6.0, 218.0, "Premium CPU-Optimized", MAIN),
    size("s-12vcpu-48gb", 49152, 12, 960, 8.0, 240.0, "Basic", NOWHERE).sold_out(),
    size("c2-8vcpu-16gb-intel", 16384, 8, 200, 6.0, 244.0, "Premium CPU-Optimized", MAIN),
    size("g-8vcpu-32gb", 32768, 8, 100, 6.0, 252.0, "General Purpose", CURRENT),
    size("m6-4vcpu-32gb", 32768, 4, 600, 5.0, 262.0, "Memory-Optimized", FEW),
    size("so-4vcpu-32gb", 32768, 4, 600, 5.0, 262.0, "Storage-Optimized", FEW),
    size("gd-8vcpu-32gb", 32768, 8, 200, 6.0, 272.0, "General Purpose 2x SSD", CURRENT),
    size("g-8vcpu-32gb-intel", 32768, 8, 120, 6.0, 302.0, "General Purpose — Premium Intel", MAIN),
    size("s-16vcpu-64gb", 65536, 16, 1280, 9.0, 320.0, "Basic", NOWHERE).sold_out(),
    size("gd-8vcpu-32gb-intel", 32768, 8, 240, 6.0, 326.0, "General Purpose — Premium Intel", MAIN),
    size("so1_5-4vcpu-32gb", 32768, 4, 900, 5.0, 326.0, "Storage-Optimized 1.5x SSD", FEW),
    size("c-16", 32768, 16, 200, 7.0, 336.0, "CPU-Optimized", CURRENT),
    size("m-8vcpu-64gb", 65536, 8, 200, 6.0, 336.0, "Memory-Optimized", MAIN),
    size("c2-16vcpu-32gb", 32768, 16, 400, 7.0, 376.0, "CPU-Optimized 2x SSD", CURRENT),
    size("m3-8vcpu-64gb", 65536, 8, 600, 6.0, 416.0, "Memory-Optimized", FEW),
    size("c-16-intel", 32768, 16, 200, 7.0, 437.0, "Premium CPU-Optimized", MAIN),
    size("s-20vcpu-96gb", 98304, 20, 1920, 10.0, 480.0, "Basic", NOWHERE).sold_out(),
    size("c2-16vcpu-32gb-intel", 32768, 16, 400, 7.0, 488.0, "Premium CPU-Optimized", MAIN),
    size("g-16vcpu-64gb", 65536, 16, 200, 7.0, 504.0, "General Purpose", CURRENT),
    size("m6-8vcpu-64gb", 65536, 8, 1200, 6.0, 524.0, "Memory-Optimized", FEW),
    size("so-8vcpu-64gb", 65536, 8, 1200, 6.0, 524.0, "Storage-Optimized", FEW),
    size("gd-16vcpu-64gb", 65536, 16, 400, 7.0, 544.0, "General Purpose 2x SSD", CURRENT),
    size("g-16vcpu-64gb-intel", 65536, 16, 240, 7.0, 605.0, "General Purpose — Premium Intel", MAIN),
    size("s-24vcpu-128gb", 131072, 24, 2560, 11.0, 640.0, "Basic", NOWHERE).sold_out(),
    size("so1_5-8vcpu-64gb", 65536, 8, 1800, 6.0, 652.0, "Storage-Optimized 1.5x SSD", FEW),
    size("gd-16vcpu-64gb-intel", 65536, 16, 480, 7.0, 653.0, "General Purpose — Premium Intel", MAIN),
    size("c-32", 65536, 32, 400, 9.0, 672.0, "CPU-Optimized", CURRENT),
    size("m-16vcpu-128gb", 131072, 16, 400, 7.0, 672.0, "Memory-Optimized", MAIN),
    size("c2-32vcpu-64gb", 65536, 32, 800, 9.0, 752.0, "CPU-Optimized 2x SSD", CURRENT),
    size("m3-16vcpu-128gb", 131072, 16, 1200, 7.0, 832.0, "Memory-Optimized", FEW),
    size("c-32-intel", 65536, 32, 400, 9.0, 874.0, "Premium CPU-Optimized", MAIN),
    size("s-32vcpu-192gb", 196608, 32, 3840, 12.0, 960.0, "Basic", NOWHERE).sold_out(),
    size("c2-32vcpu-64gb-intel", 65536, 32, 800, 9.0, 976.0, "Premium CPU-Optimized", MAIN),
    size("c-48", 98304, 48, 600, 11.0, 1008.0, "CPU-Optimized", CURRENT),
    size("g-32vcpu-128gb", 131072, 32, 400, 9.0, 1008.0, "General Purpose", CURRENT),
    size("m-24vcpu-192gb", 196608, 24, 600, 8.0, 1008.0, "Memory-Optimized", MAIN),
    size("m6-16vcpu-128gb", 131072, 16, 2400, 7.0, 1048.0, "Memory-Optimized", FEW),
    size("so-16vcpu-128gb", 131072, 16, 2400, 7.0, 1048.0, "Storage-Optimized", FEW),
    size("gd-32vcpu-128gb", 131072, 32, 800, 9.0, 1088.0, "General Purpose 2x SSD", CURRENT),
    size("c2-48vcpu-96gb", 98304, 48, 1200, 11.0, 1128.0, "CPU-Optimized 2x SSD", CURRENT),
    size("g-32vcpu-128gb-intel", 131072, 32, 480, 9.0, 1210.0, "General Purpose — Premium Intel", MAIN),
    size("m3-24vcpu-192gb", 196608, 24, 1800, 8.0, 1248.0, "Memory-Optimized", FEW),
    size("g-40vcpu-160gb", 163840, 40, 500, 10.0, 1260.0, "General Purpose", CURRENT),
    size("so1_5-16vcpu-128gb", 131072, 16, 3600, 7.0, 1304.0, "Storage-Optimized 1.5x SSD", FEW),
    size("gd-32vcpu-128gb-intel", 131072, 32, 960, 9.0, 1306.0, "General Purpose — Premium Intel", MAIN),
    size("c-48-intel", 98304, 48, 600, 11.0, 1310.0, "Premium CPU-Optimized", MAIN),
    size("m-32vcpu-256gb", 262144, 32, 800, 9.0, 1344.0, "Memory-Optimized", MAIN),
    size("gd-40vcpu-160gb", 163840, 40, 1000, 10.0, 1360.0, "General Purpose 2x SSD", CURRENT),
    size("c2-48vcpu-96gb-intel", 98304, 48, 1200, 11.0, 1464.0, "Premium CPU-Optimized", MAIN),
    size("m6-24vcpu-192gb", 196608, 24, 3600, 8.0, 1572.0, "Memory-Optimized", FEW),
    size("so-24vcpu-192gb", 196608, 24, 3600, 8.0, 1572.0, "Storage-Optimized", FEW),
    size("c-60-intel", 122880, 60, 750, 11.0, 1638.0, "Premium CPU-Optimized", MAIN),
    size("m3-32vcpu-256gb", 262144, 32, 2400, 9.0, 1664.0, "Memory-Optimized", FEW),
    size("g-48vcpu-192gb-intel", 196608, 48, 720, 11.0, 1814.0, "General Purpose — Premium Intel", MAIN),
    size("c2-60vcpu-120gb-intel", 122880, 60, 1500, 11.0, 1830.0, "Premium CPU-Optimized", MAIN),
    size("so1_5-24vcpu-192gb", 196608, 24, 5400, 8.0, 1956.0, "Storage-Optimized 1.5x SSD", FEW),
    size("gd-48vcpu-192gb-intel", 196608, 48, 1440, 11.0, 1958.0, "General Purpose — Premium Intel", MAIN),
    size("m6-32vcpu-256gb", 262144, 32, 4800, 9.0, 2096.0, "Memory-Optimized", FEW).sold_out(),
    size("so-32vcpu-256gb", 262144, 32, 4800, 9.0, 2096.0, "Storage-Optimized", FEW),
    size("g-60vcpu-240gb-intel", 245760, 60, 900, 11.0, 2268.0, "General Purpose — Premium Intel", MAIN),
    size("gd-60vcpu-240gb-intel", 245760, 60, 1800, 11.0, 2448.0, "General Purpose — Premium Intel", MAIN),
    size("so1_5-32vcpu-256gb", 262144, 32, 7200, 9.0, 2608.0, "Storage-Optimized 1.5x SSD", FEW).sold_out(),
    size("gpu-4000adax1-20gb", 32768, 8, 500, 15.0, 510.72, "RTX4000 ADA GPU - 1X", GPU).gpu(1, "nvidia_rtx4000_ada", 20, 0),
    size("gpu-l40sx1-48gb", 65536, 8, 500, 15.0, 1055.04, "L40S GPU - 1X", GPU).gpu(1, "nvidia_l40s", 48, 0),
    size("gpu-6000adax1-48gb", 65536, 8, 500, 15.0, 1055.04, "RTX6000 ADA GPU - 1X", GPU).gpu(1, "nvidia_rtx6000_ada", 48, 0),
    size("gpu-mi300x1-192gb", 245760, 20, 720, 15.0, 1337.28, "MI300X GPU - 1X", GPU).gpu(1, "amd_mi300x", 192, 5120),
    size("gpu-h100x1-80gb", 245760, 20, 720, 15.0, 2278.08, "H100 GPU - 1X", GPU).gpu(1, "nvidia_h100", 80, 5120),
    size("gpu-h200x1-141gb", 245760, 24, 720, 15.0, 2311.68, "H200 GPU - 1X", GPU).gpu(1, "nvidia_h200", 141, 5120),
    size("gpu-mi300x8-1536gb", 1966080, 160, 2046, 15.0, 10698.24, "MI300X GPU - 8X", GPU).gpu(8, "amd_mi300x", 1536, 40960),
    size("gpu-h100x8-640gb", 1966080, 160, 2046, 15.0, 16074.24, "H100 GPU - 8X", GPU).gpu(8, "nvidia_h100", 640, 40960),
    size("gpu-h200x8-1128gb", 1966080, 192, 2046, 15.0, 18493.44, "H200 GPU - 8X", GPU).sold_out().gpu(8, "nvidia_h200", 1128, 40960),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_list_is_as_long_as_a_real_one_and_has_no_twins() {
        assert!(SIZES.len() >= 120, "only {} sizes", SIZES.len());
        let slugs: HashSet<&str> = SIZES.iter().map(|it| it.slug).collect();
        assert_eq!(slugs.len(), SIZES.len());
        for family in ["s-", "g-", "gd-", "c-", "c2-", "m-", "m3-", "so-", "gpu-"] {
            assert!(
                SIZES.iter().any(|it| it.slug.starts_with(family)),
                "no {family}"
            );
        }
        assert!(SIZES.iter().any(|it| !it.available));
        assert!(SIZES.iter().any(|it| it.transfer_tib < 1.0));
    }

    #[test]
    fn an_hourly_price_carries_the_noise_of_a_32_bit_float() {
        let five_dollars = size("x", 1024, 1, 25, 1.0, 5.0, "Basic", EVERYWHERE);
        assert_eq!(
            five_dollars.price_hourly().to_string(),
            "0.00743999984115362"
        );
        for it in SIZES {
            let exact = it.price_monthly / 672.0;
            assert!((it.price_hourly() - exact).abs() < 0.00002, "{}", it.slug);
        }
    }

    #[test]
    fn memory_is_a_multiple_of_eight_as_the_vendor_says() {
        assert!(
            SIZES
                .iter()
                .all(|it| it.memory_mib % 8 == 0 && it.vcpus > 0 && it.disk_gib > 0)
        );
    }
}
