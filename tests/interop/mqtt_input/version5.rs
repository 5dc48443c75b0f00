//! A broker of version 5.

use super::*;

#[tokio::test]
async fn what_is_not_safe_comes_again_in_order_over_version_5_too() {
    not_safe_comes_again(Version::V5).await;
}

#[tokio::test]
async fn a_broker_that_knows_our_limit_passes_over_what_is_longer_and_blocks_nothing() {
    let broker = Mosquitto::start("").await;
    let mut settings = settings(broker.port());
    settings.address.version = Version::V5;
    let mut gateway = Gateway::with(settings);
    gateway.status(0.0).await;
    let monster = vec![b'7'; 20_000_000];
    let messages = [&b"1"[..], &monster, b"2"].map(|payload| Message::new(BARE, payload));
    broker.publish(&messages).await;
    // At once, each once, without another connection.
    assert_eq!(value(&gateway.reading().await), Some(1.0));
    assert_eq!(value(&gateway.reading().await), Some(2.0));
    gateway.stop().await;
}
