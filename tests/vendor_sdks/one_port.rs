//! All three vendors' packages against one `tandem mock` as it is shipped: a process, one port.

use tandem_peers::mock::openai::reply;

use super::program::Mock;
use super::{elevenlabs, openai};

#[tokio::test]
async fn every_package_completes_a_stream_against_one_process() {
    let mock = Mock::open(&[]);
    let answer = openai::sdk(mock.url("openai_base_url"), "stream", "any-key", openai::MODEL).await;
    assert_eq!(answer["text"], reply(openai::QUESTION));
    for way in ["http", "realtime", "livekit"] {
        let (heard, _) = elevenlabs::sdk(mock.url("elevenlabs_base_url"), way).await;
        assert_eq!(heard, elevenlabs::TEXT, "{way}");
    }
    let vendors: Vec<String> =
        mock.exchanges().iter().map(|exchange| exchange["vendor"].as_str().unwrap().to_owned()).collect();
    assert!(vendors.iter().any(|vendor| vendor == "openai"), "{vendors:?}");
    assert_eq!(vendors.iter().filter(|vendor| *vendor == "elevenlabs").count(), 3, "{vendors:?}");
}
