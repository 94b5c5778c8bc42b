use super::*;
use proptest::prelude::*;

/// What one response came to: its end and head, or that there is more to come.
type Found = Result<(usize, Option<Head>), Odd>;

/// Reads `bytes` in pieces up to the end of the first response.
fn first(bytes: &[u8], piece: usize, bodiless: bool) -> Found {
    let (mut framer, mut kept, mut at) = (Framer::new(bodiless), Vec::new(), 0);
    for piece in bytes.chunks(piece) {
        kept.extend_from_slice(piece);
        let (used, head) = framer.read(&kept)?;
        (at, _) = (at + used, kept.drain(..used));
        if head.is_some() {
            return Ok((at, head));
        }
    }
    let head = framer.close(kept.len())?;
    Ok((at, head))
}

/// The same, however the bytes are cut.
fn cut_anyhow(bytes: &[u8], bodiless: bool) -> Found {
    let whole = first(bytes, bytes.len().max(1), bodiless);
    for piece in 1..bytes.len() {
        assert_eq!(first(bytes, piece, bodiless), whole, "in pieces of {piece}");
    }
    whole
}

fn head(status: u16, keeps: bool) -> Head {
    Head { status, keeps, retry_after: None }
}

const NEXT: &str = "HTTP/1.1 500 Next\r\ncontent-length: 0\r\n\r\n";

#[test]
fn a_response_ends_where_its_head_says_however_it_is_cut() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", head(200, true)),
        ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", head(200, true)),
        ("HTTP/1.1 200\r\nCONTENT-LENGTH:  2 \r\n\r\n\r\n", head(200, true)),
        ("HTTP/1.1 200 OK\nContent-Length: 1\n\nx", head(200, true)),
        ("HTTP/1.1 404 Not Found\r\nContent-Length: 2, 2\r\n\r\nno", head(404, true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", head(200, true)),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", head(204, true)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", head(304, true)),
        ("HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n\r\n", head(304, true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: Close\r\n\r\nx", head(200, false)),
        ("HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n", head(200, false)),
        ("HTTP/1.1 200 OK\r\nConnection: closed\r\nContent-Length: 0\r\n\r\n", head(200, true)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", head(200, false)),
        ("HTTP/1.0 200 K\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", head(200, true)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            head(200, true),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n0\r\na: b\r\n\r\n",
            head(200, true),
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            head(200, true),
        ),
        (
            "HTTP/1.1 103 Early\r\nLink: </a>\r\nContent-Length: 7\r\n\r\nHTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
            head(302, true),
        ),
        ("\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", head(200, true)),
    ];
    for (response, expected) in cases {
        let more = format!("{response}{NEXT}");
        let found = cut_anyhow(more.as_bytes(), false);
        assert_eq!(found, Ok((response.len(), Some(expected))), "{response:?}");
    }
}

#[test]
fn the_end_of_the_connection_ends_what_has_no_length() {
    for response in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\nabc",
    ] {
        let found = cut_anyhow(response.as_bytes(), false);
        assert_eq!(found, Ok((response.len(), Some(head(200, false)))), "{response:?}");
    }
}

#[test]
fn what_answers_head_has_no_body() {
    for field in ["Content-Length: 5", "Transfer-Encoding: chunked", "Server: x"] {
        let response = format!("HTTP/1.1 200 OK\r\n{field}\r\n\r\n");
        let found = cut_anyhow(format!("{response}{NEXT}").as_bytes(), true);
        assert_eq!(found, Ok((response.len(), Some(head(200, true)))), "{field}");
    }
}

#[test]
fn a_response_that_ends_early_is_none() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        assert_eq!(cut_anyhow(response.as_bytes(), false), Err(Odd::Cut), "{response:?}");
    }
    assert_eq!(first(b"", 1, false), Ok((0, None)), "without a byte there is no response");
}

#[test]
fn what_is_no_response_is_refused_and_never_guessed_at() {
    let cases = [
        ("-ERR unknown command\r\n", Odd::NotHttp),
        ("HTTP/2 200\r\n\r\n", Odd::NotHttp),
        ("HTTP/1.1 20x OK\r\n\r\n", Odd::NotHttp),
        ("HTTP/1.1 099 Low\r\n\r\n", Odd::NotHttp),
        ("HTTP/1.1 600 High\r\n\r\n", Odd::NotHttp),
        ("HTTP/1.1 200 OK\r\nbad field\r\n\r\n", Odd::NotHttp),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Odd::Upgrade),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\nx", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\nx", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nx", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nxx", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", Odd::Length),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9999999999999999999\r\n\r\nx", Odd::Length),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Odd::Length,
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", Odd::Chunk),
    ];
    for (response, expected) in cases {
        let bytes = response.as_bytes();
        assert_eq!(first(bytes, bytes.len(), false), Err(expected), "{response:?}");
        // Cut into bytes, it is refused no later than at its end, if maybe as cut off.
        for piece in 1..bytes.len() {
            assert!(first(bytes, piece, false).is_err(), "{response:?} in pieces of {piece}");
        }
    }
}

#[test]
fn a_head_is_bounded_and_so_are_interim_ones() {
    let long = |bytes: usize| {
        let empty = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: \r\n\r\n".len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: {}\r\n\r\n", "y".repeat(bytes - empty))
    };
    for piece in [1000, HEAD * 2] {
        assert_eq!(first(long(HEAD).as_bytes(), piece, false), Ok((HEAD, Some(head(200, true)))));
        assert_eq!(first(long(HEAD + 1).as_bytes(), piece, false), Err(Odd::TooLong));
    }
    let endless = vec![b'a'; HEAD];
    let endless = [b"HTTP/1.1 200 OK\r\nx: ", &endless[..]].concat();
    assert_eq!(first(&endless, 512, false), Err(Odd::TooLong));
    let fields =
        |count| format!("HTTP/1.1 200 OK\r\n{}content-length: 0\r\n\r\n", "a: b\r\n".repeat(count));
    assert!(first(fields(FIELDS - 1).as_bytes(), 99, false).is_ok());
    assert_eq!(first(fields(FIELDS).as_bytes(), 9999, false), Err(Odd::TooLong));
    let interim = |count| "HTTP/1.1 103 Early\r\n\r\n".repeat(count) + NEXT;
    assert_eq!(first(interim(8).as_bytes(), 99, false).unwrap().1, Some(head(500, true)));
    assert_eq!(first(interim(9).as_bytes(), 99, false), Err(Odd::TooLong));
}

#[test]
fn who_is_asked_to_stay_away_knows_for_how_long() {
    let after = |value: &str| {
        let response =
            format!("HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n");
        first(response.as_bytes(), 7, false).unwrap().1.unwrap().retry_after
    };
    assert_eq!((after("30"), after("0"), after("4294967295")), (Some(30), Some(0), Some(u32::MAX)));
    assert_eq!((after("4294967296"), after("Fri, 31 Dec 1999 23:59:59 GMT")), (None, None));
}

#[test]
fn responses_follow_each_other_on_one_connection() {
    let stream = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\
        transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP/1.1 204 No\r\n\r\n";
    for piece in 1..=stream.len() {
        let (mut framer, mut kept, mut found) = (Framer::new(false), Vec::new(), Vec::new());
        for piece in stream.as_bytes().chunks(piece) {
            kept.extend_from_slice(piece);
            loop {
                let (used, head) = framer.read(&kept).unwrap();
                kept.drain(..used);
                let Some(head) = head else { break };
                found.push(head.status);
            }
        }
        assert_eq!(found, [200, 200, 204], "in pieces of {piece}");
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_makes_it_panic(bytes: Vec<u8>, piece in 1_usize..64, bodiless: bool) {
        if let Ok((end, _)) = first(&bytes, piece, bodiless) {
            prop_assert!(end <= bytes.len());
        }
    }

    /// One byte changed is another response, or none; never a longer one than there is.
    #[test]
    fn a_changed_byte_never_makes_it_read_beyond(at in 0_usize..64, byte: u8, piece in 1_usize..64) {
        let mut bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok((end, Some(_))) = first(&bytes, piece, false) {
            prop_assert!(end <= bytes.len());
        }
    }

    #[test]
    fn any_body_of_any_length_is_skipped_exactly(
        body in prop::collection::vec(any::<u8>(), 0..3000),
        piece in 1_usize..900,
        fields in prop::collection::vec("[A-Z][a-z]{1,8}: [ -~]{0,20}", 0..9),
    ) {
        let mut response = b"HTTP/1.1 200 OK\r\n".to_vec();
        response.extend(fields.iter().flat_map(|field| format!("{field}\r\n").into_bytes()));
        response.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
        response.extend(&body);
        let length = response.len();
        response.extend(NEXT.bytes());
        prop_assert_eq!(first(&response, piece, false), Ok((length, Some(head(200, true)))));
    }
}
