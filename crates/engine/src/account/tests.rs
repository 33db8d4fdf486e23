use cwts_domain::AccountId;

use super::*;

#[test]
fn the_default_accounts_are_the_paper_account_and_the_simulator() {
    let [paper, maker, taker] = OpeningAccount::defaults();
    assert_eq!((paper.id, paper.cash), (AccountId::PAPER, Cash(100_000_000_000)), "100,000 USD");
    assert!(paper.limits.is_some() && paper.fees == Fees::PAPER, "clients have limits and pay for trading");
    for simulator in [maker, taker] {
        assert!(simulator.limits.is_none() && simulator.history == 0, "the simulator is exempt, nothing of it is kept");
        assert_eq!(simulator.fees, Fees::NONE, "and trades for nothing");
    }
}
