//! Far ends that take what they are given too slowly.

use super::*;

/// Events of this scratch journal are old, as those are that wait for a far end that is slow.
#[tokio::test(start_paused = true)]
async fn live_notices_that_have_waited_for_minutes_are_summed_up_too() {
    let mut world = World::new(accepted);
    world.far_end().sums_up = true;
    world.commit(300);
    world.run(async |world| world.until_cursor(300).await).await;
    assert_eq!(world.got(), ["summary of 300"]);
}
