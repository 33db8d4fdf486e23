//! The standard normal distribution.

/// The density at `z`: exp(-z^2 / 2) / sqrt(2 pi).
pub(crate) fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

/// The quantile of `p` from 0.5 to 1 - 1e-10, to about 16 digits. Wichura 1988, "Algorithm AS 241: The percentage points
/// of the normal distribution", Applied Statistics 37, routine PPND16.
pub(crate) fn quantile(p: f64) -> f64 {
    const CENTRAL: ([f64; 8], [f64; 8]) = (
        [
            3.387_132_872_796_366_5,
            133.141_667_891_784_38,
            1_971.590_950_306_551_3,
            13_731.693_765_509_46,
            45_921.953_931_549_87,
            67_265.770_927_008_7,
            33_430.575_583_588_13,
            2_509.080_928_730_122_7,
        ],
        [
            1.0,
            42.313_330_701_600_91,
            687.187_007_492_057_9,
            5_394.196_021_424_751,
            21_213.794_301_586_597,
            39_307.895_800_092_71,
            28_729.085_735_721_943,
            5_226.495_278_852_855,
        ],
    );
    const TAIL: ([f64; 8], [f64; 8]) = (
        [
            1.423_437_110_749_683_5,
            4.630_337_846_156_546,
            5.769_497_221_460_691,
            3.647_848_324_763_204_5,
            1.270_458_252_452_368_4,
            0.241_780_725_177_450_6,
            0.022_723_844_989_269_184,
            7.745_450_142_783_414e-4,
        ],
        [
            1.0,
            2.053_191_626_637_759,
            1.676_384_830_183_803_8,
            0.689_767_334_985_1,
            0.148_103_976_427_480_08,
            0.015_198_666_563_616_457,
            5.475_938_084_995_345e-4,
            1.050_750_071_644_416_9e-9,
        ],
    );
    let q = p - 0.5;
    if q <= 0.425 {
        return q * ratio(&CENTRAL, 0.180_625 - q * q);
    }
    ratio(&TAIL, (-(1.0 - p).ln()).sqrt() - 1.6)
}

/// One polynomial over another, lowest power first.
fn ratio((above, below): &([f64; 8], [f64; 8]), at: f64) -> f64 {
    let value = |powers: &[f64; 8]| powers.iter().rev().fold(0.0, |sum, power| sum * at + power);
    value(above) / value(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [
            (0.5, 0.0),
            (0.8, 0.841_621_233_572_914_3),
            (0.9, 1.281_551_565_544_600_4),
            (0.95, 1.644_853_626_951_472_2),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_841),
        ] {
            assert!((quantile(p) - z).abs() < 1e-12, "{p}: {} must be {z}", quantile(p));
        }
        assert!((density(0.0) - 0.398_942_280_401_432_7).abs() < 1e-15, "the height of the bell");
    }
}
