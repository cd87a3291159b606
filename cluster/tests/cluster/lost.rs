//! A machine dies in the middle of a query, or was never there: a right answer or a clear error.

use std::time::Duration;

use kua_cluster::ClusterError;
use kua_query::Table;

use crate::archive::Place;
use crate::machines::{Cluster, Machine};
use crate::rows::{embedded, of_cluster, of_patient_cluster};

/// Pairs of handshakes in one network: some seconds of work for two executors.
const LONG: &str = "SELECT a.asn, count(*), min(a.record + b.record) FROM handshakes a
                    JOIN handshakes b ON a.asn = b.asn AND a.record < b.record GROUP BY a.asn ORDER BY a.asn";
const ROWS: i64 = 19_200;

/// While it reads files (step 1), and while it joins what both have read (step 2).
#[test]
fn an_executor_that_is_killed_while_it_works() {
    for place in Place::all() {
        let tables = place.tables(ROWS);
        let expected = embedded(&place, &tables, LONG);
        for step in [1, 2] {
            let what = format!("{}, step {step}", place.name);
            let mut cluster = Cluster::start(&place, 2);
            let address = cluster.address().to_owned();
            let found = std::thread::scope(|scope| {
                let asked = scope.spawn(|| of_cluster(&address, &tables, 8, LONG));
                assert!(cluster.executors[1].works_on(step), "{what}");
                assert!(!asked.is_finished(), "{what}: the query is long enough");
                cluster.executors[1].kill();
                asked.join().unwrap()
            });
            match found {
                Ok(rows) => assert_eq!(rows, expected, "{what}"),
                Err(error) => {
                    kua_tests::told(&format!("{what}: the query failed: {error}"));
                    let clear = matches!(
                        error,
                        ClusterError::Failed(_)
                            | ClusterError::Answer { .. }
                            | ClusterError::Lost
                            | ClusterError::Short { .. }
                    );
                    assert!(clear, "{what}: {error:?}");
                }
            }
            // The other one is still there.
            let count = "SELECT cc, count(*) FROM handshakes GROUP BY cc ORDER BY cc";
            let again = of_cluster(&address, &tables, 8, count).unwrap();
            assert_eq!(again, embedded(&place, &tables, count), "{what}");
        }
    }
}

/// Asks a long query, and lets something happen while the first executor works.
fn asked_while(
    cluster: &mut Cluster,
    tables: &[Table],
    happens: impl FnOnce(&mut Cluster),
) -> Result<Vec<String>, ClusterError> {
    let address = cluster.address().to_owned();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| of_cluster(&address, tables, 8, LONG));
        assert!(cluster.executors[0].works_on(1));
        assert!(!asked.is_finished(), "the query is long enough");
        happens(cluster);
        asked.join().unwrap()
    })
}

#[test]
fn all_executors_killed_while_they_work() {
    let place = Place::directory();
    let tables = place.tables(ROWS);
    let mut cluster = Cluster::start(&place, 1);
    let error =
        asked_while(&mut cluster, &tables, |cluster| cluster.executors[0].kill()).unwrap_err();
    let clear = matches!(error, ClusterError::Failed(_) | ClusterError::NoExecutor { .. });
    assert!(clear, "{error:?}");
}

#[test]
fn a_scheduler_that_is_killed_while_it_waits() {
    let place = Place::directory();
    let tables = place.tables(ROWS);
    let mut cluster = Cluster::start(&place, 1);
    let error = asked_while(&mut cluster, &tables, |cluster| cluster.scheduler.kill()).unwrap_err();
    assert!(matches!(error, ClusterError::Unreachable { .. }), "{error:?}");
    // An executor without a scheduler ends, and says so.
    let executor = &mut cluster.executors[0];
    assert_eq!(executor.ended(), Some(1));
    assert!(executor.said().contains("error: cannot run an executor\n"), "{}", executor.said());
}

#[test]
fn a_query_that_takes_too_long() {
    let place = Place::directory();
    let tables = place.tables(ROWS);
    let cluster = Cluster::start(&place, 1);
    let error = of_patient_cluster(cluster.address(), &tables, 8, Duration::ZERO, LONG);
    assert!(matches!(error, Err(ClusterError::TooLong { seconds: 0 })), "{error:?}");
    // It is cancelled, and the executor free.
    let count = "SELECT count(*) FROM handshakes";
    assert_eq!(of_cluster(cluster.address(), &tables, 8, count).unwrap(), [ROWS.to_string()]);
}

#[test]
fn no_executor_at_all() {
    let place = Place::directory();
    let tables = place.tables(120);
    let scheduler = Machine::scheduler(&place);
    let error = of_cluster(&scheduler.address, &tables, 4, "SELECT count(*) FROM handshakes");
    assert!(matches!(error, Err(ClusterError::NoExecutor { seconds: 10, .. })), "{error:?}");
}

#[test]
fn no_scheduler_at_all() {
    let place = Place::directory();
    let tables = place.tables(120);
    let address = format!("127.0.0.1:{}", kua_tests::free_port());
    let error = of_cluster(&address, &tables, 4, "SELECT count(*) FROM handshakes");
    assert!(matches!(error, Err(ClusterError::Unreachable { .. })), "{error:?}");
}

#[test]
fn a_file_that_is_gone() {
    let place = Place::directory();
    let mut tables = place.tables(1_200);
    tables[0].files[3].path.push_str(".gone");
    let cluster = Cluster::start(&place, 1);
    let error = of_cluster(cluster.address(), &tables, 4, "SELECT max(record) FROM handshakes");
    let error = error.unwrap_err();
    assert!(matches!(error, ClusterError::Failed(_)), "{error:?}");
    assert!(error.to_string().contains(".gone"), "{error}");
}

#[test]
fn an_executor_that_cannot_read_the_files() {
    let Some(place) = Place::s3() else { return };
    let tables = place.tables(1_200);
    let scheduler = Machine::scheduler(&place);
    let wrong = [("AWS_SECRET_ACCESS_KEY", "another secret".to_owned())];
    let executor = Machine::executor(&scheduler, &place, &wrong);
    let sql = "SELECT target, count(*) FROM handshakes GROUP BY target";
    let error = of_cluster(&scheduler.address, &tables, 4, sql).unwrap_err();
    assert!(matches!(error, ClusterError::Failed(_)), "{error:?}: {}", executor.said());
    assert!(error.to_string().contains("SignatureDoesNotMatch"), "{error}");
}

#[test]
fn asked_to_end_they_end_and_leave_nothing() {
    let place = Place::directory();
    let tables = place.tables(1_200);
    let mut cluster = Cluster::start(&place, 1);
    let sql = "SELECT target, count(*) FROM handshakes GROUP BY target";
    assert_eq!(of_cluster(cluster.address(), &tables, 4, sql).unwrap().len(), 37);
    let executor = &mut cluster.executors[0];
    assert!(executor.own().is_some());
    assert_eq!(executor.terminate(), Some(0), "{}", executor.said());
    assert_eq!(executor.own(), None);
    assert_eq!(cluster.scheduler.terminate(), Some(0), "{}", cluster.scheduler.said());
}
