use proptest::prelude::*;

use super::*;

fn account(opening: i64) -> Account {
    Account::new(OpeningAccount::client(AccountId::PAPER, Cash(i128::from(opening))))
}

fn trade(account: &mut Account, side: Side, quantity: i64, price: i64) {
    account.settle(side, Ticks(price), Lots(quantity));
}

fn figures(account: &Account) -> [i128; 4] {
    [account.cash().0, i128::from(account.position().0), account.cost_basis().0, account.realised_pnl().0]
}

#[test]
fn buying_adds_to_the_cost_of_a_long_position() {
    let mut account = account(10_000);
    trade(&mut account, Side::Buy, 10, 100);
    trade(&mut account, Side::Buy, 10, 110);
    assert_eq!(figures(&account), [7_900, 20, 2_100, 0], "the average entry price is 105");
    assert_eq!(account.unrealised_pnl(Ticks(107)), Cash(40), "2 ticks over the average on 20 lots");
    assert_eq!(account.equity(Ticks(107)), Cash(10_040), "equity is cash and the value of the position");
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
    assert_eq!(account.unrealised_pnl(Ticks(90)), Cash(100), "buying back at 90 would gain 10 per lot");
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
fn the_default_accounts_are_the_paper_account_and_the_simulator() {
    let [paper, maker, taker] = OpeningAccount::defaults(&Instrument::btcusd());
    assert_eq!((paper.id, paper.cash, paper.limited), (AccountId::PAPER, Cash(100_000_000_000), true), "100,000 USD");
    for simulator in [maker, taker] {
        assert!(!simulator.limited && simulator.history == 0, "the simulator is exempt, and nothing of it is kept");
    }
}

proptest! {
    #[test]
    fn cash_is_always_opening_plus_realised_less_cost(
        fills in prop::collection::vec((any::<bool>(), 1_i64..10_000_000, 1_i64..1_000_000_000), 0..200),
    ) {
        let mut account = account(100_000_000_000);
        for (buys, quantity, price) in fills {
            trade(&mut account, if buys { Side::Buy } else { Side::Sell }, quantity, price);
            let expected = account.opening_cash() + account.realised_pnl() - account.cost_basis();
            prop_assert_eq!(account.cash(), expected, "profit and loss must explain the cash to the last unit");
            let signs = (account.position().0.signum(), account.cost_basis().0.signum() as i64);
            prop_assert!(signs.0 == signs.1, "the cost basis has the sign of the position: {:?}", signs);
            let mark = Ticks(price);
            let profit = account.realised_pnl() + account.unrealised_pnl(mark);
            prop_assert_eq!(account.equity(mark), account.opening_cash() + profit, "and equity at any mark");
        }
    }
}
