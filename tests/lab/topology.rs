use std::net::{IpAddr, UdpSocket};
use std::time::Duration;

use outrigger_lab::{Lab, PATIENCE, poll};

#[test]
fn hosts_of_a_lab_reach_each_other_and_nothing_else() {
    let mut lab = Lab::direct();
    let other = lab.add_client();
    other.ip("addr add 192.0.2.77/24 dev eth0");
    let here = lab
        .server()
        .enter(|| UdpSocket::bind((Lab::SERVER4, 5000)).unwrap());
    here.set_read_timeout(Some(PATIENCE)).unwrap();
    let there = other.enter(|| UdpSocket::bind("192.0.2.77:5000").unwrap());
    there.send_to(b"hello", (Lab::SERVER4, 5000)).unwrap();
    let mut buffer = [0; 16];
    let (length, from) = here.recv_from(&mut buffer).unwrap();
    assert_eq!(
        (&buffer[..length], from.ip()),
        (&b"hello"[..], IpAddr::from([192, 0, 2, 77]))
    );

    let beyond = there.send_to(b"hello", "203.0.113.1:9");
    assert!(beyond.is_err(), "{beyond:?}");
}

#[test]
fn server_reaches_the_relay_at_its_address_on_the_clients_link() {
    let lab = Lab::relayed();
    let relay4 = lab
        .relay()
        .enter(|| UdpSocket::bind((Lab::RELAY4, 67)).unwrap());
    let relay6 = lab
        .relay()
        .enter(|| UdpSocket::bind((Lab::RELAY6, 547)).unwrap());
    let (server4, server6) = lab.server().enter(|| {
        (
            UdpSocket::bind((Lab::SERVER4, 67)).unwrap(),
            UdpSocket::bind((Lab::SERVER6, 547)).unwrap(),
        )
    });
    server4.send_to(b"four", (Lab::RELAY4, 67)).unwrap();
    server6.send_to(b"six", (Lab::RELAY6, 547)).unwrap();
    let mut buffer = [0; 16];
    for (socket, text) in [(relay4, &b"four"[..]), (relay6, b"six")] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let (length, _) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!(&buffer[..length], text);
    }
}

#[test]
fn dropped_lab_leaves_neither_processes_nor_files() {
    let lab = Lab::direct();
    let dir = lab.dir().to_owned();
    let mut command = std::process::Command::new("sleep");
    command.arg("1000");
    let sleeper = lab.server().start(command);
    assert!(sleeper.is_running());
    drop(lab);
    assert!(sleeper.wait(Duration::from_secs(10)).is_some());
    let gone = poll(PATIENCE, || (!dir.exists()).then_some(()));
    assert!(gone.is_some());
}
