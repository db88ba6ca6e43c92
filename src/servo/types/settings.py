"""All kinds of settings, in one place."""

from servo.types.choices import EnumSetting, InstanceType, InstanceTypeUnits
from servo.types.environment import (
    EnvironmentEnumSetting,
    EnvironmentRangeSetting,
    EnvironmentSetting,
    EnvironmentSettingList,
    NumericType,
)
from servo.types.ranges import CPU, Memory, RangeSetting, Replicas
from servo.types.setting import Setting, find_setting

__all__ = [
    "CPU",
    "EnumSetting",
    "EnvironmentEnumSetting",
    "EnvironmentRangeSetting",
    "EnvironmentSetting",
    "EnvironmentSettingList",
    "InstanceType",
    "InstanceTypeUnits",
    "Memory",
    "NumericType",
    "RangeSetting",
    "Replicas",
    "Setting",
    "find_setting",
]
