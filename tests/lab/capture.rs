use std::net::UdpSocket;

use outrigger_lab::{Lab, PATIENCE, poll};

#[test]
fn capture_holds_frames_between_two_other_hosts() {
    let lab = Lab::direct();
    lab.client().ip("addr add 192.0.2.20/24 dev eth0");
    let client = lab
        .client()
        .enter(|| UdpSocket::bind("192.0.2.20:0").unwrap());
    let text = b"seen by the switch";
    client.send_to(text, (Lab::SERVER4, 9)).unwrap();
    let recorded = poll(PATIENCE, || {
        let capture = std::fs::read(lab.dir().join("lab.pcap")).unwrap();
        assert!(capture.is_empty() || capture.starts_with(&[0xD4, 0xC3, 0xB2, 0xA1]));
        let found = capture.windows(text.len()).any(|part| part == text);
        found.then_some(())
    });
    assert!(recorded.is_some());
}
