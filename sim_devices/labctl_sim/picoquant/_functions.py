"""Functions of the libraries and their arguments, from the vendor's headers; see ``_face``."""

from collections.abc import Mapping

__all__ = ["HH_FUNCTIONS", "MH_FUNCTIONS", "PH330_FUNCTIONS", "PH_FUNCTIONS"]

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
    "SetStopOverflow": "i i u",
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
    "GetNumOfModules": "i I",
    "GetModuleInfo": "i i I I",
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

PH_FUNCTIONS: Mapping[str, str] = {
    **_COMMON,
    "Initialize": "i i",
    "GetHardwareInfo": "i S16 S8 S8",
    "Calibrate": "i",
    "SetInputCFD": "i i i i",
    "SetSyncOffset": "i i",
    "SetMultistopEnable": "i i",
    "ClearHistMem": "i i",
    "GetHistogram": "i B i",
    "ReadFiFo": "i B i I",
    "GetRoutingChannels": "i I",
    "EnableRouting": "i i",
    "SetRoutingChannelOffset": "i i i",
    "GetRouterVersion": "i S8 S8",
    "GetHardwareDebugInfo": "i S16384",
}

HH_FUNCTIONS: Mapping[str, str] = {
    **_HYDRA,
    "Calibrate": "i",
    "SetSyncCFD": "i i i",
    "SetInputCFD": "i i i i",
    "GetHistogram": "i B i i",
    "ReadFiFo": "i B i I",
    "GetHardwareDebugInfo": "i S16384",
}

MH_FUNCTIONS: Mapping[str, str] = {**_MULTI, "SetInputHysteresis": "i i"}

PH330_FUNCTIONS: Mapping[str, str] = {
    **_MULTI,
    "SetTriggerHysteresis": "i i",
    "SetSyncTrgMode": "i i",
    "SetInputTrgMode": "i i i",
    "SetSyncCFD": "i i i",
    "SetInputCFD": "i i i i",
    "SetSyncChannelEnable": "i i",
}
