//! How much of the market an account carries.

/// Values of positions, in the unit of the values.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Exposure {
    /// Of what is held long.
    pub long: f64,
    /// Of what is held short, without a sign.
    pub short: f64,
    /// Sum of the squared shares of the positions in the gross exposure: 1 for a single position, 1 / n for n equal ones, 0
    /// without any (Herfindahl-Hirschman index).
    pub concentration: f64,
}

impl Exposure {
    /// Long and short: what moves with the market, whichever way it goes.
    pub fn gross(&self) -> f64 {
        self.long + self.short
    }

    /// Long less short: what a move of all prices moves.
    pub fn net(&self) -> f64 {
        self.long - self.short
    }
}

/// The exposure of positions, each given as its quantity times its mark price; below zero is short.
pub fn exposure(positions: &[f64]) -> Exposure {
    // An empty sum is a zero with a sign, which nobody should be shown.
    let sum = |sign: f64| positions.iter().map(|value| value * sign).filter(|value| *value > 0.0).sum::<f64>() + 0.0;
    let (long, short) = (sum(1.0), sum(-1.0));
    let squares: f64 = positions.iter().map(|value| value * value).sum();
    let gross = long + short;
    Exposure { long, short, concentration: if gross > 0.0 { squares / (gross * gross) } else { 0.0 } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_add_up_gross_and_cancel_net() {
        let both = exposure(&[300.0, -100.0]);
        assert_eq!((both.gross(), both.net(), both.long, both.short), (400.0, 200.0, 300.0, 100.0));
        assert_eq!(both.concentration, 0.625, "(3/4)^2 + (1/4)^2");
        assert_eq!(exposure(&[-5.0]).concentration, 1.0, "all in one");
        assert_eq!(exposure(&[0.0, 0.0]), Exposure::default(), "flat");
        let flat = exposure(&[]);
        assert!([flat.long, flat.short, flat.net()].iter().all(|zero| zero.is_sign_positive()), "nobody is shown -0");
    }
}
