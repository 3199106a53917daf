//! When the world hurts devices, and changes what is on the server.

use tidings::domain::ids::ConversationId;
use tokio::time::sleep;

use crate::{
    device::Device,
    faults::Fault,
    server::Profile,
    workload::Workload,
    world::{State, spawn},
};

impl Workload {
    pub(crate) fn trouble(&mut self, device: &mut Device) {
        let kinds = [
            Fault::Network,
            Fault::Background,
            Fault::WallJump,
            Fault::Crash,
            Fault::Edits,
        ];
        let on: Vec<_> = {
            let state = self.world.lock();
            kinds
                .into_iter()
                .filter(|fault| state.faults.is_on(*fault))
                .collect()
        };
        if on.is_empty() {
            return;
        }
        match self.chance.pick(&on) {
            Fault::Network => {
                let up = self.world.lock().devices[device.number].online;
                let told = self.chance.per_mille(600);
                device.network(!up, told);
            }
            Fault::Background => self.background(device),
            Fault::WallJump => {
                let by = self.chance.millis(1_000, 86_400_000);
                device.jump(by, self.chance.per_mille(500));
            }
            Fault::Crash => device.kill(),
            _ => self.edit(),
        }
    }

    fn background(&mut self, device: &Device) {
        let Some(running) = &device.running else {
            return;
        };
        let (deadline, away) = (
            self.chance.millis(0, 20_000),
            self.chance.millis(100, 60_000),
        );
        let client = running.client.clone();
        spawn(async move { drop(client.background(deadline).await) });
        let client = running.client.clone();
        spawn(async move {
            sleep(away).await;
            client.foreground();
        });
    }

    /// Somebody edits or deletes on the server, where that is possible.
    fn edit(&mut self) {
        let room = self.chance.pick(&self.rooms);
        let (at, delete) = (self.chance.number(), self.chance.per_mille(400));
        let mut state = self.world.lock();
        let count = state.server.room(&room).rows.len();
        if self.profile == Profile::Keyed && count > 0 {
            let place = usize::try_from(at >> 33).unwrap() % count;
            state.change(&room, place, delete);
        }
    }
}

impl State {
    fn change(&mut self, room: &ConversationId, place: usize, delete: bool) {
        let rows = self.server.room_mut(room);
        if rows.rows[place].deleted {
            return;
        }
        rows.changes += 1;
        let (changes, row) = (rows.changes, &mut rows.rows[place]);
        row.change = changes;
        row.revision += 1;
        row.deleted = delete;
        row.text.push_str(" (edited)");
        row.texts.push(row.text.clone());
        row.changed.by_others();
        self.note(format_args!(
            "row {place} of {room} is changed, deleted: {delete}"
        ));
        self.broadcast(room, place);
    }
}
