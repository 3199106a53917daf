//! `config`: every setting with its default, unit, bounds and reason.

use tidings::config::Setting;

use crate::{
    context::Context,
    failure::Failure,
    output::records::{BoundsRecord, Record, SettingRecord},
    setup::{self, Settings},
};

/// Lists them, with the values that this command line gives them.
pub(crate) fn run(context: &Context) -> Result<(), Failure> {
    let settings = Settings::read(&context.global)?;
    let core = settings
        .core
        .settings()
        .into_iter()
        .map(SettingRecord::from);
    for record in core.chain(setup::backend_settings(&settings)) {
        context.out.print(&Record::Setting(record));
    }
    Ok(())
}

impl From<Setting> for SettingRecord {
    fn from(setting: Setting) -> Self {
        Self {
            name: setting.name.to_owned(),
            value: setting.value,
            default: setting.default,
            unit: setting.unit.to_owned(),
            bounds: setting.bounds.map(|(low, high)| BoundsRecord { low, high }),
            reason: setting.reason.to_owned(),
        }
    }
}
