"""The long tail against TA-Lib, and against the formula written out where TA-Lib has none."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import talib

from trading.bars import FIELDS, Panel
from trading.indicators import BySymbol, compute, parse
from trading.indicators.long_tail import STUDIES
from trading.indicators.long_tail.corrected import CORRECTED
from trading.indicators.long_tail.running import library

if TYPE_CHECKING:
    from collections.abc import Callable

    from trading.bars import Floats

IBM = 3
PLAIN: Any = 0  # TA-Lib's number of the simple average

COLUMNS = {
    "alligator_jaw": "AGj_13_8_5",
    "alligator_teeth": "AGt_13_8_5",
    "alligator_lips": "AGl_13_8_5",
    "alma": "ALMA_9_6.0_0.85",
    "dema": "DEMA_10",
    "fwma": "FWMA_10",
    "hilo": "HILO_13_21",
    "hl2": "HL2",
    "hlc3": "HLC3",
    "hma": "HMA_10",
    "hwma": "HWMA_0.2_0.1_0.1",
    "ht_trendline": "HT_TL",
    "ichimoku_span_a": "ISA_9",
    "ichimoku_span_b": "ISB_26",
    "ichimoku_conversion": "ITS_9",
    "ichimoku_base": "IKS_26",
    "jma": "JMA_7_0.0",
    "kama": "KAMA_10_2_30",
    "linreg": "LINREG_14",
    "mcgd": "MCGD_10",
    "midpoint": "MIDPOINT_14",
    "midprice": "MIDPRICE_14",
    "ohlc4": "OHLC4",
    "pwma": "PWMA_10",
    "rma": "RMA_10",
    "sinwma": "SINWMA_14",
    "smma": "SMMA_7",
    "ssf": "SSFe_20",
    "ssf3": "SSF3_20",
    "supertrend": "SUPERT_7_3.0",
    "supertrend_direction": "SUPERTd_7_3.0",
    "swma": "SWMA_10",
    "t3": "T3_10_0.7",
    "tema": "TEMA_10",
    "trima": "TRIMA_10",
    "vidya": "VIDYA_14",
    "vwma": "VWMA_10",
    "zlma": "ZL_EMA_10",
    "cdl_doji": "CDL_DOJI_10_0.1",
    "cdl_inside": "CDL_INSIDE",
    "cdl_z_open": "open_Z_30_1",
    "cdl_z_high": "high_Z_30_1",
    "cdl_z_low": "low_Z_30_1",
    "cdl_z_close": "close_Z_30_1",
    "ha_open": "HA_open",
    "ha_high": "HA_high",
    "ha_low": "HA_low",
    "ha_close": "HA_close",
    "ebsw": "EBSW_40_10",
    "ao": "AO_5_34",
    "apo": "APO_12_26",
    "bias": "BIAS_SMA_26",
    "bop": "BOP",
    "brar_ar": "AR_26",
    "brar_br": "BR_26",
    "cmo": "CMO_14",
    "coppock": "COPC_11_14_10",
    "cti": "CTI_12",
    "dm_plus": "DMP_14",
    "dm_minus": "DMN_14",
    "er": "ER_10",
    "eri_bull": "BULLP_13",
    "eri_bear": "BEARP_13",
    "exhc_down": "EXHC_DNa",
    "exhc_up": "EXHC_UPa",
    "fisher": "FISHERT_9_1",
    "fisher_signal": "FISHERTs_9_1",
    "kdj_k": "K_9_3",
    "kdj_d": "D_9_3",
    "kdj_j": "J_9_3",
    "kst": "KST_10_15_20_30_10_10_10_15",
    "kst_signal": "KSTs_9",
    "mom": "MOM_10",
    "pgo": "PGO_14",
    "ppo": "PPO_12_26_9",
    "ppo_histogram": "PPOh_12_26_9",
    "ppo_signal": "PPOs_12_26_9",
    "psl": "PSL_12",
    "qqe": "QQE_14_5_4.236",
    "qqe_rsi": "QQE_14_5_4.236_RSIMA",
    "rsx": "RSX_14",
    "rvgi": "RVGI_14_4",
    "rvgi_signal": "RVGIs_14_4",
    "slope": "SLOPE_1",
    "smi": "SMI_5_20_5_1.0",
    "smi_signal": "SMIs_5_20_5_1.0",
    "smi_oscillator": "SMIo_5_20_5_1.0",
    "squeeze": "SQZ_20_2.0_20_1.5",
    "squeeze_on": "SQZ_ON",
    "squeeze_off": "SQZ_OFF",
    "squeeze_pro": "SQZPRO_20_2.0_20_2.0_1.5_1.0",
    "squeeze_pro_wide": "SQZPRO_ON_WIDE",
    "squeeze_pro_normal": "SQZPRO_ON_NORMAL",
    "squeeze_pro_narrow": "SQZPRO_ON_NARROW",
    "stochf_k": "STOCHFk_14_3",
    "stochf_d": "STOCHFd_14_3",
    "stochrsi_k": "STOCHRSIk_14_14_3_3",
    "stochrsi_d": "STOCHRSId_14_14_3_3",
    "tmo": "TMO_14_5_3",
    "tmo_signal": "TMOs_14_5_3",
    "trix": "TRIX_30_9",
    "trix_signal": "TRIXs_30_9",
    "tsi": "TSI_13_25_13",
    "tsi_signal": "TSIs_13_25_13",
    "uo": "UO_7_14_28",
    "willr": "WILLR_14",
    "drawdown": "DD",
    "drawdown_percent": "DD_PCT",
    "entropy": "ENTP_10",
    "kurtosis": "KURT_30",
    "log_return": "LOGRET_1",
    "mad": "MAD_30",
    "median": "MEDIAN_30",
    "percent_return": "PCTRET_1",
    "quantile": "QTL_30_0.5",
    "skew": "SKEW_30",
    "stdev": "STDEV_30",
    "variance": "VAR_30",
    "alphatrend": "ALPHAT_14_1.0_50.0",
    "alphatrend_lagged": "ALPHATl_14_1.0_50.0_2",
    "amat_long": "AMATe_LR_8_21_2",
    "amat_short": "AMATe_SR_8_21_2",
    "aroon_down": "AROOND_14",
    "aroon_up": "AROONU_14",
    "aroon_oscillator": "AROONOSC_14",
    "chop": "CHOP_14_1_100.0",
    "cksp_long": "CKSPl_10_1.0_9",
    "cksp_short": "CKSPs_10_1.0_9",
    "decreasing": "DEC_1",
    "dpo": "DPO_20",
    "increasing": "INC_1",
    "psar": "PSARl_0.02_0.2 PSARs_0.02_0.2",
    "psar_factor": "PSARaf_0.02_0.2",
    "psar_reversal": "PSARr_0.02_0.2",
    "qstick": "QS_10",
    "rwi_high": "RWIh_14",
    "rwi_low": "RWIl_14",
    "ttm_trend": "TTM_TRND_6",
    "vhf": "VHF_28",
    "vortex_plus": "VTXP_14",
    "vortex_minus": "VTXM_14",
    "aberration_middle": "ABER_ZG_5_15",
    "aberration_upper": "ABER_SG_5_15",
    "aberration_lower": "ABER_XG_5_15",
    "accbands_lower": "ACCBL_20",
    "accbands_middle": "ACCBM_20",
    "accbands_upper": "ACCBU_20",
    "chandelier_long": "CHDLREXTl_22_22_14_2.0",
    "chandelier_short": "CHDLREXTs_22_22_14_2.0",
    "hwc_middle": "HWM_1.0",
    "hwc_lower": "HWL_1.0",
    "hwc_upper": "HWU_1.0",
    "massi": "MASSI_9_25",
    "natr": "NATR_14",
    "pdist": "PDIST",
    "rvi": "RVI_14",
    "thermo": "THERMO_20_2.0_0.5",
    "thermo_average": "THERMOma_20_2.0_0.5",
    "thermo_calm": "THERMOl_20_2.0_0.5",
    "thermo_hot": "THERMOs_20_2.0_0.5",
    "true_range": "TRUERANGE_1",
    "ui": "UI_14",
    "ad": "AD",
    "adosc": "ADOSC_3_10",
    "cmf": "CMF_20",
    "efi": "EFI_13",
    "eom": "EOM_14_100000000",
    "kvo": "KVO_34_55_13",
    "kvo_signal": "KVOs_34_55_13",
    "mfi": "MFI_14",
    "pvo": "PVO_12_26_9",
    "pvo_histogram": "PVOh_12_26_9",
    "pvo_signal": "PVOs_12_26_9",
    "pvol": "PVOL",
    "pvr": "PVR",
    "pvt": "PVT",
    "tsv": "TSV_18_10",
    "tsv_signal": "TSVs_18_10",
    "tsv_ratio": "TSVr_18_10",
}  # fmt: skip


def only_ibm(real: Panel) -> Panel:
    return Panel(real.timestamps, ("IBM",), *(real.field(name)[:, [IBM]] for name in FIELDS))


@pytest.fixture(scope="module")
def frame(real: Panel) -> pd.DataFrame:
    return pd.DataFrame({name: np.ascontiguousarray(real.field(name)[:, IBM]) for name in FIELDS})


@pytest.fixture(scope="module")
def ibm(real: Panel) -> Callable[[str], Floats]:
    data = BySymbol(only_ibm(real))

    def values(spec: str) -> Floats:
        found: Floats = data.indicator(*parse(spec))[0]
        return found

    return values


def test_every_output_is_the_column_of_pandas_ta_that_it_says(frame: pd.DataFrame, real: Panel) -> None:
    first, data = frame.iloc[:200], BySymbol(only_ibm(real).rows(slice(0, 200)))
    for study in STUDIES.values():
        if study.function in CORRECTED:
            continue
        given = {"open_" if name == "open" else name: first[name] for name in study.inputs}
        constants = {one.name: int(one.default) if one.whole else float(one.default) for one in study.parameters}
        found = getattr(library(), study.function)(**given, **constants, **study.fixed)
        found = found[0] if isinstance(found, tuple) else found
        table = found.to_frame() if isinstance(found, pd.Series) else found
        for indicator in study.indicators():
            labels = COLUMNS[indicator.name].split()
            columns = [table[label].to_numpy(dtype=np.float64, copy=True) for label in labels]
            expected = columns[0] if len(columns) == 1 else np.where(np.isnan(columns[0]), columns[1], columns[0])
            expected[~np.isfinite(expected)] = np.nan
            expected[: indicator.warm_up(*constants.values()) - 1] = np.nan
            ours = data.indicator(*parse(indicator.name))[0]
            np.testing.assert_allclose(ours, expected, rtol=1e-12, err_msg=indicator.name)


AS_TA_LIB: dict[str, Callable[..., Any]] = {
    "cci_14": lambda o, h, low, c, v: talib.CCI(h, low, c, 14),
    "wcp": lambda o, h, low, c, v: talib.WCLPRICE(h, low, c),
    "hl2": lambda o, h, low, c, v: talib.MEDPRICE(h, low),
    "hlc3": lambda o, h, low, c, v: talib.TYPPRICE(h, low, c),
    "ohlc4": lambda o, h, low, c, v: talib.AVGPRICE(o, h, low, c),
    "true_range": lambda o, h, low, c, v: talib.TRANGE(h, low, c),
    "willr_14": lambda o, h, low, c, v: talib.WILLR(h, low, c, 14),
    "uo": lambda o, h, low, c, v: talib.ULTOSC(h, low, c),
    "apo": lambda o, h, low, c, v: talib.APO(c, 12, 26, PLAIN),
    "ppo": lambda o, h, low, c, v: talib.PPO(c, 12, 26, PLAIN),
    "bop": lambda o, h, low, c, v: talib.BOP(o, h, low, c),
    "mom_10": lambda o, h, low, c, v: talib.MOM(c, 10),
    "linreg_14": lambda o, h, low, c, v: talib.LINEARREG(c, 14),
    "cti_12": lambda o, h, low, c, v: talib.CORREL(c, np.arange(len(c), dtype=np.float64), 12),
    "midpoint_14": lambda o, h, low, c, v: talib.MIDPOINT(c, 14),
    "midprice_14": lambda o, h, low, c, v: talib.MIDPRICE(h, low, 14),
    "trima_11": lambda o, h, low, c, v: talib.TRIMA(c, 11),
    "aroon_up_14": lambda o, h, low, c, v: talib.AROON(h, low, 14)[1],
    "aroon_down_14": lambda o, h, low, c, v: talib.AROON(h, low, 14)[0],
    "aroon_oscillator_14": lambda o, h, low, c, v: talib.AROONOSC(h, low, 14),
    "stochf_k": lambda o, h, low, c, v: talib.STOCHF(h, low, c, 14, 3, PLAIN)[0],
    "stochf_d": lambda o, h, low, c, v: talib.STOCHF(h, low, c, 14, 3, PLAIN)[1],
    "variance_30": lambda o, h, low, c, v: talib.VAR(c, 30) * 30 / 29,
    "stdev_30": lambda o, h, low, c, v: talib.STDDEV(c, 30) * (30 / 29) ** 0.5,
    "ad": lambda o, h, low, c, v: talib.AD(h, low, c, v),
    "percent_return_5": lambda o, h, low, c, v: talib.ROCP(c, 5),
    "dema_10": lambda o, h, low, c, v: talib.DEMA(c, 10),
    "tema_10": lambda o, h, low, c, v: talib.TEMA(c, 10),
    "t3_10_0.7": lambda o, h, low, c, v: talib.T3(c, 10, 0.7),
    "kama_10_2_30": lambda o, h, low, c, v: talib.KAMA(c, 10),
    "ht_trendline": lambda o, h, low, c, v: talib.HT_TRENDLINE(c),
    "trix_15_9": lambda o, h, low, c, v: talib.TRIX(c, 15),
    "natr_14": lambda o, h, low, c, v: talib.NATR(h, low, c, 14),
    "dm_plus_14": lambda o, h, low, c, v: talib.PLUS_DM(h, low, 14) / 14,
    "dm_minus_14": lambda o, h, low, c, v: talib.MINUS_DM(h, low, 14) / 14,
    "adosc_3_10": lambda o, h, low, c, v: talib.ADOSC(h, low, c, v, 3, 10),
    "stochrsi_k_14_14_3_3": lambda o, h, low, c, v: slow_stochastic(talib.RSI(c, 14))[0],
    "stochrsi_d_14_14_3_3": lambda o, h, low, c, v: slow_stochastic(talib.RSI(c, 14))[1],
    "rma_14": lambda o, h, low, c, v: wilder(c, 14),
    "smma_14": lambda o, h, low, c, v: wilder(c, 14),
    "rvgi_10": lambda o, h, low, c, v: talib.SUM(symmetric(c - o), 10) / talib.SUM(symmetric(h - low), 10),
    "cmf_20": lambda o, h, low, c, v: talib.SUM(v * (2 * c - h - low) / (h - low), 20) / talib.SUM(v, 20),
    "vwma_10": lambda o, h, low, c, v: talib.SUM(c * v, 10) / talib.SUM(v, 10),
    "ao": lambda o, h, low, c, v: talib.SMA((h + low) / 2, 5) - talib.SMA((h + low) / 2, 34),
    "bias_26": lambda o, h, low, c, v: c / talib.SMA(c, 26) - 1,
    "cmo_14": lambda o, h, low, c, v: 100 * sums(np.diff(c), 14) / sums(np.abs(np.diff(c)), 14),
    "er_10": lambda o, h, low, c, v: np.abs(talib.MOM(c, 10)) / sums(np.abs(np.diff(c)), 10),
    "coppock": lambda o, h, low, c, v: talib.WMA(talib.ROC(c, 11) + talib.ROC(c, 14), 10),
    "dpo_20": lambda o, h, low, c, v: c - ago(talib.SMA(c, 20), 11),
    "hma_16": lambda o, h, low, c, v: talib.WMA(2 * talib.WMA(c, 8) - talib.WMA(c, 16), 4),
    "vortex_plus_14": lambda o, h, low, c, v: sums(np.abs(h[1:] - low[:-1]), 14) / ranges(h, low, c),
    "vortex_minus_14": lambda o, h, low, c, v: sums(np.abs(low[1:] - h[:-1]), 14) / ranges(h, low, c),
    "ui_14": lambda o, h, low, c, v: talib.SMA((100 * (c / talib.MAX(c, 14) - 1)) ** 2, 14) ** 0.5,
    "chop_14": lambda o, h, low, c, v: 100 * np.log10(
        sums(talib.TRANGE(h, low, c)[1:], 14) / (talib.MAX(h, 14) - talib.MIN(low, 14))) / np.log10(14),
    "vhf_28": lambda o, h, low, c, v: (talib.MAX(c, 28) - talib.MIN(c, 28)) / sums(np.abs(np.diff(c)), 28),
    "efi_13": lambda o, h, low, c, v: moved(talib.EMA(np.diff(c) * v[1:], 13)),
    "eri_bull_13": lambda o, h, low, c, v: h - talib.EMA(c, 13),
    "eri_bear_13": lambda o, h, low, c, v: low - talib.EMA(c, 13),
    "pvo": lambda o, h, low, c, v: 100 * (talib.EMA(v, 12) / talib.EMA(v, 26) - 1),
    "tsi": lambda o, h, low, c, v: 100 * moved(twice(np.diff(c)) / twice(np.abs(np.diff(c)))),
    "massi": lambda o, h, low, c, v: talib.SUM(talib.EMA(h - low, 9) / emaed(talib.EMA(h - low, 9), 9), 25),
    "qstick_10": lambda o, h, low, c, v: talib.SMA(c - o, 10),
    "aberration_upper_5_15": lambda o, h, low, c, v: talib.SMA(talib.TYPPRICE(h, low, c), 5) + talib.ATR(h, low, c, 15),
    "chandelier_long": lambda o, h, low, c, v: talib.MAX(h, 22) - 2 * talib.ATR(h, low, c, 14),
    "chandelier_short": lambda o, h, low, c, v: talib.MIN(low, 22) + 2 * talib.ATR(h, low, c, 14),
    "squeeze": lambda o, h, low, c, v: talib.SMA(talib.MOM(c, 12), 6),
    "ichimoku_base": lambda o, h, low, c, v: talib.MIDPRICE(h, low, 26),
    "ichimoku_span_b": lambda o, h, low, c, v: ago(talib.MIDPRICE(h, low, 52), 25),
    "kst": lambda o, h, low, c, v: 100 * sum(
        weight * talib.SMA(talib.ROC(c, change), over)
        for weight, (change, over) in enumerate(((10, 10), (15, 10), (20, 10), (30, 15)), 1)),
    "zlma_10": lambda o, h, low, c, v: emaed(2 * c - ago(c, 4), 10),
    "cdl_inside": lambda o, h, low, c, v: 100 * ((h < ago(h, 1)) & (low > ago(low, 1))),
    "drawdown_percent": lambda o, h, low, c, v: 1 - c / np.maximum.accumulate(c),
}  # fmt: skip


def ago(values: Floats, bars: int) -> Floats:
    return np.concatenate((np.full(bars, np.nan), values[:-bars]))


def moved(values: Floats) -> Floats:
    return np.concatenate(([np.nan], values))


def sums(changes: Floats, length: int) -> Floats:
    return moved(talib.SUM(np.ascontiguousarray(changes), length))


def ranges(high: Floats, low: Floats, close: Floats) -> Floats:
    return sums(talib.TRANGE(high, low, close)[1:], 14)


def symmetric(values: Floats) -> Floats:
    return (values + 2 * ago(values, 1) + 2 * ago(values, 2) + ago(values, 3)) / 6


def emaed(values: Floats, length: int) -> Floats:
    """Return the EMA of values that begin with none."""
    first = np.flatnonzero(~np.isnan(values))[0]
    return np.concatenate((np.full(first, np.nan), talib.EMA(np.ascontiguousarray(values[first:]), length)))


def twice(values: Floats) -> Floats:
    return emaed(talib.EMA(values, 25), 13)


def slow_stochastic(values: Floats) -> Any:
    return talib.STOCH(values, values, values, 14, 3, PLAIN, 3, PLAIN)


def wilder(values: Floats, length: int) -> Floats:
    average = [float(np.mean(values[:length]))]
    for value in values[length:]:
        average.append(average[-1] + (value - average[-1]) / length)
    return np.concatenate((np.full(length - 1, np.nan), average))


@pytest.mark.parametrize("spec", AS_TA_LIB)
def test_values_agree_with_ta_lib_once_the_seed_is_forgotten(
    spec: str, frame: pd.DataFrame, ibm: Callable[[str], Floats]
) -> None:
    expected = np.asarray(AS_TA_LIB[spec](*(frame[name].to_numpy() for name in FIELDS)), dtype=np.float64)
    indicator, values = parse(spec)
    first = min(indicator.memory(*values), 2500) - 1
    scale = max(1.0, float(np.nanmax(np.abs(expected))))
    assert np.isfinite(expected[first:]).all()
    np.testing.assert_allclose(ibm(spec)[first:] / scale, expected[first:] / scale, rtol=1e-8, atol=1e-9)


def test_moments_and_quantiles_agree_with_their_formulas(frame: pd.DataFrame, ibm: Callable[[str], Floats]) -> None:
    window = frame["close"].to_numpy()[-30:]
    away = window - window.mean()
    n, spread = 30, away.std(ddof=1)
    skew = n / ((n - 1) * (n - 2)) * np.sum((away / spread) ** 3)
    fourth = n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * np.sum((away / spread) ** 4)
    assert ibm("skew_30")[-1] == pytest.approx(skew, rel=1e-8)
    assert ibm("kurtosis_30")[-1] == pytest.approx(fourth - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3)), rel=1e-8)
    assert ibm("median_30")[-1] == np.median(window)
    assert ibm("quantile_30_0.25")[-1] == pytest.approx(np.quantile(window, 0.25))
    assert ibm("mad_30")[-1] == pytest.approx(np.abs(away).mean())
    assert ibm("cdl_z_close_30")[-1] == pytest.approx(away[-1] / spread)


def test_weighted_averages_by_hand(make_panel: Callable[..., Panel]) -> None:
    panel = make_panel([[1.0], [2.0], [4.0], [8.0]])
    assert compute("fwma_3", panel)[-1, 0] == pytest.approx((2 * 1 + 4 * 1 + 8 * 2) / 4)
    assert compute("pwma_3", panel)[-1, 0] == pytest.approx((2 * 1 + 4 * 2 + 8 * 1) / 4)
    assert compute("swma_4", panel)[-1, 0] == pytest.approx((1 * 1 + 2 * 2 + 4 * 2 + 8 * 1) / 6)
    sines = np.sin(np.pi * np.arange(1, 4) / 4)
    assert compute("sinwma_3", panel)[-1, 0] == pytest.approx(np.dot(sines, [2, 4, 8]) / sines.sum())
    assert compute("slope_2", panel)[-1, 0] == pytest.approx((8 - 2) / 2)
    assert compute("log_return_1", panel)[-1, 0] == pytest.approx(np.log(2))
    assert compute("increasing_2", panel)[-1, 0] == 1
    assert compute("decreasing_2", panel)[-1, 0] == 0
    assert compute("psl_3", panel)[-1, 0] == 100


def test_recursions_by_hand(frame: pd.DataFrame, ibm: Callable[[str], Floats]) -> None:
    opens, high, low, close, _ = (frame[name].to_numpy() for name in FIELDS)
    candle = [(opens[0] + close[0]) / 2]
    middle = (opens + high + low + close) / 4
    for value in middle[:-1]:
        candle.append((candle[-1] + value) / 2)
    np.testing.assert_allclose(ibm("ha_open"), candle)
    np.testing.assert_allclose(ibm("ha_high"), np.maximum(high, np.maximum(candle, middle)))
    dynamic = [close[0]]
    for value in close[1:]:
        dynamic.append(dynamic[-1] + (value - dynamic[-1]) / (10 * (value / dynamic[-1]) ** 4))
    np.testing.assert_allclose(ibm("mcgd_10")[9:], dynamic[9:])


def test_supertrend_by_hand(frame: pd.DataFrame, ibm: Callable[[str], Floats]) -> None:
    _, high, low, close, _ = (frame[name].to_numpy() for name in FIELDS)
    reach = 3 * talib.ATR(high, low, close, 7)
    upper, lower = (high + low) / 2 + reach, (high + low) / 2 - reach
    start, up, line = 400, ibm("supertrend_direction")[400] == 1, ibm("supertrend")[400]
    for bar in range(start + 1, len(close)):
        before = (line, upper[bar - 1]) if up else (lower[bar - 1], line)
        if close[bar] > before[1]:
            up, line = True, lower[bar]
        elif close[bar] < before[0]:
            up, line = False, upper[bar]
        else:
            line = max(lower[bar], line) if up else min(upper[bar], line)
        assert ibm("supertrend_direction")[bar] == (1 if up else -1)
        assert ibm("supertrend")[bar] == pytest.approx(line)


def test_the_parabolic_is_on_the_side_it_says_and_speeds_up_with_new_extremes(
    frame: pd.DataFrame, ibm: Callable[[str], Floats]
) -> None:
    high, low = frame["high"].to_numpy(), frame["low"].to_numpy()
    line, factor, turns = ibm("psar")[5:], ibm("psar_factor")[5:], ibm("psar_reversal")[5:]
    below, above = line <= low[5:], line >= high[5:]
    assert (below | above).all()
    for at, (before, now) in enumerate(pairwise(below), 1):
        assert (before != now) == (turns[at] == 1)
        assert factor[at] == pytest.approx(0.02 if turns[at] else min(max(factor[at], factor[at - 1]), 0.2))
