"""Functions of the libraries and their arguments, from the vendor's headers; see ``_face``."""

from collections.abc import Mapping

__all__ = ["ABSENT", "HH_FUNCTIONS", "MH_FUNCTIONS", "PH330_FUNCTIONS", "PH_FUNCTIONS"]

_COMMON: Mapping[str, str] = {
    "GetLibraryVersion": "S8",
    "GetErrorString": "S40 i",
    "OpenDevice": "i S8",
    "CloseDevice": "i",
    "GetSerialNumber": "i S8",
    "GetFeatures": "i I",
    "GetBaseResolution": "i D I",
    "GetResolution": "i D",
    "SetSyncDiv": "i i",
    "SetBinning": "i i",
    "SetOffset": "i i",
    "StartMeas": "i i",
    "StopMeas": "i",
    "CTCStatus": "i I",
    "GetCountRate": "i i I",
    "GetFlags": "i I",
    "GetElapsedMeasTime": "i D",
    "GetWarnings": "i I",
    "GetWarningsText": "i S16384 i",
    "SetMarkerEnable": "i i i i i",
    "SetMarkerEdges": "i i i i i",
    "SetMarkerHoldoffTime": "i i",
}

_HYDRA: Mapping[str, str] = {
    **_COMMON,
    "Initialize": "i i i",
    "GetHardwareInfo": "i S24 S8 S8",
    "GetNumOfInputChannels": "i I",
    "SetStopOverflow": "i i u",
    "SetSyncChannelOffset": "i i",
    "SetInputChannelOffset": "i i i",
    "SetInputChannelEnable": "i i i",
    "SetHistoLen": "i i I",
    "ClearHistMem": "i",
    "SetMeasControl": "i i i i",
    "GetSyncPeriod": "i D",
    "GetSyncRate": "i I",
}

_MULTI: Mapping[str, str] = {
    **_HYDRA,
    "SetSyncEdgeTrg": "i i i",
    "SetInputEdgeTrg": "i i i i",
    "SetSyncChannelEnable": "i i",
    "SetInputHysteresis": "i i",
    "SetSyncDeadTime": "i i i",
    "SetInputDeadTime": "i i i i",
    "SetOflCompression": "i i",
    "SetTriggerOutput": "i i",
    "GetAllCountRates": "i I B",
    "GetHistogram": "i B i",
    "GetAllHistograms": "i B",
    "ReadFiFo": "i B I",
    "GetDebugInfo": "i S65536",
}

_MH_EVENT_FILTER: Mapping[str, str] = {
    "SetRowEventFilter": "i i i i i i i",
    "EnableRowEventFilter": "i i i",
    "SetMainEventFilterParams": "i i i i",
    "SetMainEventFilterChannels": "i i i i",
    "EnableMainEventFilter": "i i",
    "SetFilterTestMode": "i i",
    "GetRowFilteredRates": "i P P",
    "GetMainFilteredRates": "i P P",
}

_MH_WHITE_RABBIT: Mapping[str, str] = {
    "WRabbitGetMAC": "i P",
    "WRabbitSetMAC": "i P",
    "WRabbitGetInitScript": "i P",
    "WRabbitSetInitScript": "i P",
    "WRabbitGetSFPData": "i P P P P",
    "WRabbitSetSFPData": "i P P P P",
    "WRabbitInitLink": "i i",
    "WRabbitSetMode": "i i i i",
    "WRabbitSetTime": "i u u",
    "WRabbitGetTime": "i P P P",
    "WRabbitGetStatus": "i P",
    "WRabbitGetTermOutput": "i P P",
}

_MH_EXTERNAL_FPGA: Mapping[str, str] = {
    "ExtFPGAInitLink": "i i i",
    "ExtFPGAGetLinkStatus": "i i P",
    "ExtFPGASetMode": "i i i",
    "ExtFPGAResetStreamFifos": "i",
    "ExtFPGAUserCommand": "i i u P",
}

_PH330_EVENT_FILTER: Mapping[str, str] = {
    "SetEventFilterParams": "i i i i",
    "SetEventFilterChannels": "i i i",
    "EnableEventFilter": "i i",
    "SetFilterTestMode": "i i",
    "GetFilterInputRates": "i P P",
    "GetFilterOutputRates": "i P P",
}

PH_FUNCTIONS: Mapping[str, str] = {
    **_COMMON,
    "Initialize": "i i",
    "GetHardwareInfo": "i S16 S8 S8",
    "Calibrate": "i",
    "SetInputCFD": "i i i i",
    "SetSyncOffset": "i i",
    "SetStopOverflow": "i i i",
    "SetMultistopEnable": "i i",
    "ClearHistMem": "i i",
    "GetHistogram": "i B i",
    "ReadFiFo": "i B i I",
    "GetRoutingChannels": "i I",
    "EnableRouting": "i i",
    "SetRoutingChannelOffset": "i i i",
    "SetPHR800Input": "i i i i",
    "SetPHR800CFD": "i i i i",
    "GetRouterVersion": "i S8 S8",
    "GetHardwareDebugInfo": "i S16384",
}

HH_FUNCTIONS: Mapping[str, str] = {
    **_HYDRA,
    "GetNumOfModules": "i I",
    "GetModuleInfo": "i i I I",
    "GetModuleIndex": "i i I",
    "Calibrate": "i",
    "SetSyncCFD": "i i i",
    "SetInputCFD": "i i i i",
    "GetHistogram": "i B i i",
    "ReadFiFo": "i B i I",
    "GetContModeBlock": "i P P",
    "GetHardwareDebugInfo": "i S16384",
}

MH_FUNCTIONS: Mapping[str, str] = {
    **_MULTI,
    "GetNumOfModules": "i I",
    "GetModuleInfo": "i i I I",
    "GetStartTime": "i U U U",
    **_MH_EVENT_FILTER,
    **_MH_WHITE_RABBIT,
    **_MH_EXTERNAL_FPGA,
}
"""Version 3.1."""

PH330_FUNCTIONS: Mapping[str, str] = {
    **_MULTI,
    "GetModuleInfo": "i I I",
    "SetSyncTrgMode": "i i",
    "SetInputTrgMode": "i i i",
    "SetSyncCFD": "i i i",
    "SetInputCFD": "i i i i",
    "SaveDebugDump": "i T",
    **_PH330_EVENT_FILTER,
}
"""Version 2.0."""

ABSENT = frozenset([*_MH_EVENT_FILTER, *_MH_WHITE_RABBIT, *_MH_EXTERNAL_FPGA, *_PH330_EVENT_FILTER])
"""Functions of options that the simulated units were bought without, as GetFeatures says."""
