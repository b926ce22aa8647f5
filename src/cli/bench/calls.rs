//! `--calls`: so many calls, each from its greeting to its goodbye.

use std::sync::Arc;
use std::time::Duration;

use super::load::{Group, Manner};
use super::rig::{Rig, finished};
use super::window::Window;
use super::{CliError, Figures};

/// Calls begin over this time, as they would.
const OPENING: Duration = Duration::from_secs(5);

pub(super) async fn measure(calls: u32, rig: &mut Rig) -> Result<Figures, CliError> {
    rig.output.say(format_args!("{calls} calls, begun over {} s, each about half a minute long", OPENING.as_secs()));
    let workers = Arc::clone(&rig.workers);
    let mut group = Group::new(&workers);
    let mut window = Window::open(&mut rig.switch).await?;
    let once = Manner { again: false, ..rig.resident() };
    for number in 0..calls {
        once.seat(&mut group, number, OPENING * number / calls);
    }
    let bar = indicatif::ProgressBar::new(u64::from(calls)).with_style(crate::cli::output::bar_style());
    let over = |_: &_| bar.set_position(u64::from(calls) - group.running() as u64);
    window.until(&mut rig.switch, finished(&group), over).await?;
    bar.finish_and_clear();
    let measured = window.close(&mut rig.switch, || group.take()).await?;
    Ok(Figures::of(calls, &measured, rig.idle_bytes, rig.workers.count()))
}
