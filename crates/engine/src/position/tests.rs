use proptest::prelude::*;

use super::*;

/// A position and the cash that it left of an opening amount.
struct Account {
    opening: Cash,
    cash: Cash,
    position: Position,
}

fn account(opening: i64) -> Account {
    let cash = Cash(i128::from(opening));
    Account { opening: cash, cash, position: Position::default() }
}

fn trade(account: &mut Account, side: Side, quantity: i64, price: i64) {
    account.cash += account.position.settle(side, Ticks(price), Lots(quantity));
}

fn figures(account: &Account) -> [i128; 4] {
    let Position { quantity, cost, realised, .. } = account.position;
    [account.cash.0, i128::from(quantity.0), cost.0, realised.0]
}

#[test]
fn buying_adds_to_the_cost_of_a_long_position() {
    let mut account = account(10_000);
    trade(&mut account, Side::Buy, 10, 100);
    trade(&mut account, Side::Buy, 10, 110);
    assert_eq!(figures(&account), [7_900, 20, 2_100, 0], "the average entry price is 105");
    assert_eq!(account.position.unrealised_pnl(Ticks(107)), Cash(40), "2 ticks over the average on 20 lots");
    assert_eq!(
        account.cash + Ticks(107).notional(account.position.quantity),
        Cash(10_040),
        "equity is cash and the value of the position"
    );
}

#[test]
fn selling_part_of_a_long_position_realises_that_part() {
    let mut account = account(10_000);
    trade(&mut account, Side::Buy, 10, 100);
    trade(&mut account, Side::Sell, 4, 110);
    assert_eq!(figures(&account), [9_440, 6, 600, 40], "the average of what is left stays 100");
}

#[test]
fn a_short_position_gains_when_the_price_falls() {
    let mut account = account(10_000);
    trade(&mut account, Side::Sell, 10, 100);
    assert_eq!(figures(&account), [11_000, -10, -1_000, 0], "the cost basis has the sign of the position");
    assert_eq!(account.position.unrealised_pnl(Ticks(90)), Cash(100), "buying back at 90 would gain 10 per lot");
    trade(&mut account, Side::Buy, 10, 90);
    assert_eq!(figures(&account), [10_100, 0, 0, 100], "flat again, the gain is realised");
}

#[test]
fn a_fill_beyond_flat_opens_the_other_side_at_its_price() {
    let mut account = account(10_000);
    trade(&mut account, Side::Buy, 10, 100);
    trade(&mut account, Side::Sell, 15, 120);
    assert_eq!(figures(&account), [10_800, -5, -600, 200], "10 closed at a gain of 20, 5 opened at 120");
}

#[test]
fn rounding_stays_in_the_cost_basis_and_is_gone_when_flat() {
    let mut account = account(10_000);
    trade(&mut account, Side::Buy, 1, 100);
    trade(&mut account, Side::Buy, 2, 101);
    trade(&mut account, Side::Sell, 1, 100);
    assert_eq!(figures(&account), [9_798, 2, 202, 0], "a third of 302 is released as 100, the rest stays");
    trade(&mut account, Side::Sell, 2, 101);
    assert_eq!(figures(&account), [10_000, 0, 0, 0], "no unit may be lost to rounding");
}

#[test]
fn a_position_is_taken_over_at_what_it_cost() {
    let (mut house, mut client) = (account(0), account(10_000));
    trade(&mut client, Side::Buy, 10, 100);
    trade(&mut client, Side::Sell, 4, 110);
    trade(&mut house, Side::Sell, 3, 90);
    house.cash += house.position.take_over(&client.position);
    assert_eq!(figures(&house), [270 - 600 + 40, 3, 300, 10], "3 of 6 lots at 100 close what was sold at 90: -30, +40");
    assert_eq!(
        house.cash + client.cash - client.opening,
        Cash(270 - 1_000 + 440 - 600 + 40),
        "cash moved, none is made"
    );
}

proptest! {
    #[test]
    fn cash_is_always_opening_plus_realised_less_cost(
        fills in prop::collection::vec((any::<bool>(), 1_i64..10_000_000, 1_i64..1_000_000_000), 0..200),
    ) {
        let mut account = account(100_000_000_000);
        for (buys, quantity, price) in fills {
            trade(&mut account, if buys { Side::Buy } else { Side::Sell }, quantity, price);
            let expected = account.opening + account.position.realised - account.position.cost;
            prop_assert_eq!(account.cash, expected, "profit and loss must explain the cash to the last unit");
            let signs = (account.position.quantity.0.signum(), account.position.cost.0.signum() as i64);
            prop_assert!(signs.0 == signs.1, "the cost basis has the sign of the position: {:?}", signs);
            let mark = Ticks(price);
            let profit = account.position.realised + account.position.unrealised_pnl(mark);
            let equity = account.cash + mark.notional(account.position.quantity);
            prop_assert_eq!(equity, account.opening + profit, "and equity at any mark");
        }
    }
}
