//! The price band: a limit price far from the market is a typing mistake, or would move the market by itself.

use cwts_domain::{Instrument, Reject, Ticks};

/// Refuses a limit price outside the band around a price of the market, which `anchor` names. Both ends belong to it.
pub(crate) fn check(
    limit: Ticks,
    market: Ticks,
    anchor: &'static str,
    percent: u32,
    instrument: &Instrument,
) -> Result<(), Reject> {
    let most = market.0 * i64::from(percent) / 100;
    if (limit.0 - market.0).abs() <= most {
        return Ok(());
    }
    let prices = [market.0 - most, market.0 + most, market.0];
    let [min, max, at] = prices.map(|ticks| instrument.price(Ticks(ticks)).to_string());
    Err(Reject::PriceOutsideBand { percent, min, max, anchor, at })
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Side, TimeInForce};

    use super::*;
    use crate::fixture::{ALICE, BOB, Desk, ROBOT, buy, change, lasting, market, sell, stop};

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
            anchor: "last price",
            at: "10.05".to_owned(),
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
            let most = last / 10;
            for (price, inside) in
                [(last - most, true), (last + most, true), (last - most - 1, false), (last + most + 1, false)]
            {
                let taken = check(Ticks(price), Ticks(last), "last price", 10, &instrument).is_ok();
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

    #[test]
    fn a_stop_limit_order_is_measured_from_its_stop_price() {
        let mut desk = traded();
        desk.accepted(stop(buy(ALICE, 1, 1_640), 1_500));
        let refused = desk.place(stop(buy(ALICE, 1, 1_651), 1_500));
        let far = matches!(refused, Err(Reject::PriceOutsideBand { anchor: "stop price", .. }));
        assert!(far, "it works when the market is at 1,500: {refused:?}");
    }

    #[test]
    fn a_modified_price_stays_in_the_band() {
        let mut desk = traded();
        let id = desk.accepted(buy(ALICE, 1, 1_000));
        let far = cwts_domain::ModifyOrder { limit: Some(Ticks(904)), ..change(ALICE, id) };
        assert!(matches!(desk.modify(far), Err(Reject::PriceOutsideBand { .. })), "or the band could be walked around");
    }
}
