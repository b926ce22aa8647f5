//! The keypad: a tool of our own, which needs no far end to run it.

use serde_json::json;
use tandem_domain::agent::Timing;
use tandem_domain::call_core::{Input, Note};
use tandem_domain::port::brain::{BrainEvent, ToolCall};

use crate::world::World;

fn press(world: &mut World, name: &str, parameters: serde_json::Value) {
    world.hold_brain = true;
    world.say("press one for me");
    let ask = world.asks[0].0;
    let call = ToolCall { name: name.into(), parameters: parameters.as_object().unwrap().clone() };
    world.input(Input::Brain { ask, event: BrainEvent::Tool(call.clone()) });
    world.input(Input::Brain { ask, event: BrainEvent::Tool(call) }); // said again after its driver died
}

fn refused(world: &World) -> usize {
    world.notes.iter().filter(|note| matches!(note, Note::Event { kind: "tool_refused", .. })).count()
}

#[test]
fn keys_are_pressed_once_by_either_name() {
    for (name, parameter) in [("play_keypad_tone", "keys"), ("play_keypad_touch_tone", "dtmf_tones")] {
        let mut world = World::new(Timing::default());
        world.play_all();
        press(&mut world, name, json!({ parameter: "1w#" }));
        assert_eq!((world.pressed.as_slice(), refused(&world)), (&["1w#".to_owned()][..], 0));
    }
}

#[test]
fn no_keys_are_refused_and_said_so() {
    for parameters in [json!({}), json!({ "keys": "" }), json!({ "keys": 12 })] {
        let mut world = World::new(Timing::default());
        world.play_all();
        press(&mut world, "play_keypad_tone", parameters);
        assert_eq!((world.pressed.len(), refused(&world)), (0, 1));
    }
}
