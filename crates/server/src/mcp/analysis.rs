//! The tools that judge what the paper account holds.

use cwts_runtime::Holding;
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::{tool, tool_router};

use crate::mcp::handler::TradingServer;
use crate::mcp::tools::ToolError;
use crate::mcp::wire::{ACCOUNT, HeldRisk, ProfitLoss, ProfitLossArgs, RiskAnalysis, RiskArgs};

/// The macro reads the output schema off the words `Result<Json<_>`.
type Result<T, E = ToolError> = std::result::Result<T, E>;

#[tool_router(router = analysis_router, vis = "pub(crate)")]
impl TradingServer {
    /// Exposure, leverage and concentration of the paper account, how far its limits are used, what a move of the market
    /// would cost, and from the minutes of the market so far: value at risk and expected shortfall (CVaR) of what is held,
    /// historical and parametric, with volatility and drawdown of equity.
    #[tool(annotations(title = "Analyze risk", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn analyze_risk(&self, Parameters(args): Parameters<RiskArgs>) -> Result<Json<RiskAnalysis>> {
        let only = self.instrument_of(args.symbol.as_deref())?;
        let question = args.question().map_err(|argument| ToolError::argument(argument, "is outside its range"))?;
        let read = self.instance.exchange().read(move |exchange| {
            let account = exchange.account(ACCOUNT)?;
            let held = HeldRisk::of(exchange, account, account.limits()?, only);
            Some((held, Holding::of(exchange, account, only)))
        });
        let (held, holding) = read.await?.ok_or_else(|| ToolError::argument("account", "has no limits"))?;
        Ok(Json(RiskAnalysis { held, figures: self.instance.risk_figures(&holding, &question) }))
    }

    /// Profit and loss of the paper account by position, realised and unrealised, with fees; or what closing a position at
    /// another price would bring.
    #[tool(annotations(title = "Profit and loss", read_only_hint = true, open_world_hint = false))]
    pub(crate) async fn calculate_profit_loss(
        &self,
        Parameters(args): Parameters<ProfitLossArgs>,
    ) -> Result<Json<ProfitLoss>> {
        let only = self.instrument_of(args.symbol.as_deref())?;
        let exit = match (only, args.exit_price) {
            (_, None) => None,
            (None, Some(_)) => return Err(ToolError::argument("exit_price", "needs symbol")),
            (Some(id), Some(price)) => {
                let instrument = self.instance.exchange().instruments().get(usize::from(id.0));
                instrument.map(|instrument| instrument.ticks("exit_price", price)).transpose()?
            }
        };
        let read = self
            .instance
            .exchange()
            .read(move |exchange| Some(ProfitLoss::of(exchange, exchange.account(ACCOUNT)?, only, exit)));
        read.await?.map(Json).ok_or_else(|| ToolError::argument("account", "does not exist"))
    }
}
