"""The forms that can be imported, by the name the command knows them by."""

from __future__ import annotations

FORMS: dict[str, str] = {
    "mdtime": "Level-2 trades or snapshots with MDDate and MDTime",
    "datayes": "Level-2 trades (TradTime) or snapshots (UpdateTime) of DataYes 通联",
    "dolphindb": "Level-2 trades (TradeTime) or snapshots (DateTime) of the DolphinDB tutorials",
    "level1": "Level-1 quotes with five levels, one file with a symbol column",
    "bars15": "quarter-hour bars in fen",
    "daily": "daily bars in fen with ST and suspension",
}
