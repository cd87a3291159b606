//! The same rows as the embedded engine.

use crate::archive::Place;
use crate::machines::Cluster;
use crate::rows::{embedded, of_cluster};

/// What is asked, and whether the order of rows is part of the answer.
const QUERIES: &[(&str, bool)] = &[
    ("SELECT count(*) FROM handshakes", true),
    ("SELECT count(*), count(failure), min(started), max(record), sum(asn) FROM handshakes", true),
    ("SELECT cc, count(*), count(DISTINCT target), count(DISTINCT leaf) FROM handshakes GROUP BY cc", false),
    ("SELECT day, cc, asn, count(*) FROM handshakes GROUP BY day, cc, asn ORDER BY day, cc, asn", true),
    ("SELECT day, count(*) FROM handshakes WHERE day IS NULL GROUP BY day", false),
    ("SELECT count(*) FROM handshakes WHERE cc = 'KZ' AND day = DATE '2023-10-16'", true),
    ("SELECT record, target FROM handshakes WHERE failure IS NULL ORDER BY started DESC LIMIT 20", true),
    ("SELECT record, encode_hex FROM (SELECT record, failure AS encode_hex FROM handshakes) ORDER BY record LIMIT 5 OFFSET 7", true),
    (
        "SELECT a.name, h.cc, count(*), count(DISTINCT h.leaf) FROM handshakes h
         JOIN authorities a ON a.anchor = h.anchor GROUP BY a.name, h.cc",
        false,
    ),
    (
        "SELECT h.cc, count(*) FROM handshakes h LEFT JOIN authorities a ON a.anchor = h.anchor
         WHERE a.anchor IS NULL GROUP BY h.cc HAVING count(*) > 1",
        false,
    ),
    ("SELECT name FROM authorities WHERE anchor NOT IN (SELECT anchor FROM handshakes WHERE asn = 1 AND anchor IS NOT NULL)", false),
    ("SELECT count(*) FROM handshakes WHERE record > (SELECT avg(record) FROM handshakes WHERE cc = 'RU')", true),
    ("SELECT target, cc FROM handshakes WHERE asn = 3 UNION SELECT name, 'XX' FROM authorities", false),
    (
        "SELECT cc, record, place FROM (SELECT cc, record,
         row_number() OVER (PARTITION BY cc ORDER BY record) AS place FROM handshakes) WHERE place <= 3",
        false,
    ),
    (
        "WITH per AS (SELECT target, count(*) AS n FROM handshakes GROUP BY target)
         SELECT n, count(*) FROM per GROUP BY n ORDER BY n",
        true,
    ),
    ("SELECT leaf, anchor FROM handshakes WHERE record BETWEEN 10 AND 30", false),
    ("SELECT * FROM handshakes WHERE cc = 'XX'", false),
    ("SELECT * FROM handshakes WHERE target = 'nobody.example'", false),
    ("SELECT * FROM handshakes WHERE false", false),
    ("SELECT 1 + 1 AS two", true),
    ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'", false),
];

#[test]
fn as_the_embedded_engine_over_a_directory_and_over_s3() {
    for place in Place::all() {
        let tables = place.tables(24_000);
        let cluster = Cluster::start(&place, 2);
        for (sql, ordered) in QUERIES {
            let mut expected = embedded(&place, &tables, sql);
            let mut found = of_cluster(cluster.address(), &tables, 4, sql)
                .unwrap_or_else(|error| panic!("{}: {sql}: {error:?}", place.name));
            if !ordered {
                expected.sort();
                found.sort();
            }
            assert_eq!(found, expected, "{}: {sql}", place.name);
        }
    }
}

/// One core, and many parts: each step fetches every part of the step before.
#[test]
fn with_far_more_parts_than_cores() {
    let place = Place::directory();
    let tables = place.tables(12_000);
    let cluster = Cluster::start(&place, 1);
    let sql = "SELECT h.cc, a.name, count(DISTINCT h.leaf), count(DISTINCT h.target) FROM handshakes h
               JOIN authorities a ON a.anchor = h.anchor GROUP BY h.cc, a.name ORDER BY h.cc, a.name";
    let expected = embedded(&place, &tables, sql);
    for partitions in [8, 8, 8, 64] {
        let found = of_cluster(cluster.address(), &tables, partitions, sql);
        assert_eq!(found.unwrap(), expected, "{partitions} parts");
    }
}

/// Clients share executors; nobody is given another's rows.
#[test]
fn several_queries_at_once() {
    let place = Place::directory();
    let tables = place.tables(12_000);
    let cluster = Cluster::start(&place, 2);
    std::thread::scope(|scope| {
        for asn in 0..6 {
            let (tables, place, address) = (&tables, &place, cluster.address());
            scope.spawn(move || {
                let sql = format!("SELECT target, count(*) FROM handshakes WHERE asn = {asn} GROUP BY target ORDER BY target");
                let found = of_cluster(address, tables, 4, &sql).unwrap();
                assert_eq!(found, embedded(place, tables, &sql), "{sql}");
            });
        }
    });
}
