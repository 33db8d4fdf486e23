//! The price band: a limit price far from the last one is a typing mistake, or would move the market by itself.

use cwts_domain::{Instrument, Reject, Ticks};

/// How far a limit price may be from the last price, in percent of it.
pub const PRICE_BAND_PERCENT: i64 = 10;

/// Refuses a limit price outside the band around the last trade. Both ends belong to the band.
pub(crate) fn check(limit: Ticks, last: Ticks, instrument: &Instrument) -> Result<(), Reject> {
    let distance = (limit.0 - last.0).abs();
    if distance * 100 <= last.0 * PRICE_BAND_PERCENT {
        return Ok(());
    }
    let most = last.0 * PRICE_BAND_PERCENT / 100;
    let [min, max, last] =
        [last.0 - most, last.0 + most, last.0].map(|ticks| instrument.price(Ticks(ticks)).to_string());
    Err(Reject::PriceOutsideBand { percent: PRICE_BAND_PERCENT, min, max, last })
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Side, TimeInForce};

    use super::*;
    use crate::fixture::{ALICE, BOB, Desk, ROBOT, buy, lasting, market, sell};

    /// A market that traded at 1,005 ticks.
    fn traded() -> Desk {
        let mut desk = Desk::rich();
        desk.accepted(sell(BOB, 1, 1_005));
        desk.accepted(buy(ALICE, 1, 1_005));
        desk
    }

    #[test]
    fn a_limit_price_may_be_ten_percent_away_and_not_a_tick_more() {
        let mut desk = traded();
        let band = Reject::PriceOutsideBand {
            percent: 10,
            min: "9.05".to_owned(),
            max: "11.05".to_owned(),
            last: "10.05".to_owned(),
        };
        for price in [904, 1_106, 1, 1_000_000_000] {
            for order in [buy(ALICE, 1, price), sell(ALICE, 1, price)] {
                let immediate = lasting(order.clone(), TimeInForce::Ioc);
                assert_eq!(desk.place(order), Err(band.clone()), "{price} is more than 10 % from 1,005");
                assert_eq!(desk.place(immediate), Err(band.clone()), "however long it lasts");
            }
        }
        desk.accepted(buy(ALICE, 1, 905));
        desk.accepted(sell(ALICE, 1, 1_105));
    }

    #[test]
    fn the_ends_that_are_told_are_the_ends_that_are_taken() {
        let instrument = Instrument::btcusd();
        for last in (1..2_000).chain([6_400_000, instrument.max_price.0]) {
            let most = last * PRICE_BAND_PERCENT / 100;
            for (price, inside) in
                [(last - most, true), (last + most, true), (last - most - 1, false), (last + most + 1, false)]
            {
                let taken = check(Ticks(price), Ticks(last), &instrument).is_ok();
                assert_eq!(taken, inside, "a client that follows the message must succeed: {price} around {last}");
            }
        }
    }

    #[test]
    fn the_band_moves_with_the_market_and_binds_clients_only() {
        let mut desk = Desk::rich();
        let early = desk.accepted(buy(ALICE, 1, 1));
        desk.accepted(sell(ROBOT, 1, 1_005));
        desk.accepted(market(BOB, Side::Buy, 1));
        assert!(
            desk.order(early).status.is_open(),
            "before the first trade there is no band, and it cancels nothing later"
        );
        desk.place(sell(ALICE, 1, 2_000)).unwrap_err();
        desk.accepted(sell(ROBOT, 1, 2_000));
        desk.accepted(market(BOB, Side::Buy, 1));
        desk.accepted(sell(ALICE, 1, 2_000));
    }
}
