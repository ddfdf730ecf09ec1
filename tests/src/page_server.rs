//! A server of a metrics page that a test chooses.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
};

/// Answers every request with what `page` gives at that moment. The thread ends with the process.
pub fn serve(listener: TcpListener, page: impl Fn() -> String + Send + 'static) {
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            // A scrape that was given up is made again.
            let _ = stream.read(&mut [0; 4096]);
            let page = page();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
                page.len()
            );
            let _ = stream.write_all(format!("{head}{page}").as_bytes());
        }
    });
}
