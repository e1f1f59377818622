//! What sync is for, on both Rust faces of the driver (the blocking connection, and its async proxy under tokio), against both
//! servers.

#![forbid(unsafe_code)]

mod face;
mod scenarios;

/// A test of each scenario, for each face and each server.
macro_rules! on_both_faces_against_both_servers {
    ($($scenario:ident)+) => {$(
        mod $scenario {
            use async_proxy_sync_tests::Kind;
            use turso_driver::{AsyncConnectionSync, ConnectionSync};

            use crate::scenarios::{World, $scenario};

            #[tokio::test]
            async fn blocking_against_ours() {
                if let Some(mut world) = World::new(Kind::Ours) {
                    $scenario::<ConnectionSync>(&mut world).await.unwrap();
                }
            }

            #[tokio::test]
            async fn blocking_against_tursodb() {
                if let Some(mut world) = World::new(Kind::Tursodb) {
                    $scenario::<ConnectionSync>(&mut world).await.unwrap();
                }
            }

            #[tokio::test]
            async fn async_against_ours() {
                if let Some(mut world) = World::new(Kind::Ours) {
                    $scenario::<AsyncConnectionSync>(&mut world).await.unwrap();
                }
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn async_against_tursodb() {
                if let Some(mut world) = World::new(Kind::Tursodb) {
                    $scenario::<AsyncConnectionSync>(&mut world).await.unwrap();
                }
            }
        }
    )+};
}

on_both_faces_against_both_servers! {
    an_empty_database_is_bootstrapped
    a_filled_database_is_bootstrapped_at_once_and_in_chunks
    what_was_pushed_is_pulled_once
    two_replicas_write_in_turn_and_at_once
    a_change_of_the_schema_arrives
    every_value_arrives_as_it_was
    a_thousand_changes_go_in_one_push_and_in_batches
    a_checkpoint_makes_the_log_small_and_loses_nothing
    statistics_tell_what_has_happened
    a_replica_goes_on_after_a_restart_of_the_server
    a_database_that_began_offline_is_joined_with_the_server
    a_refused_change_is_decided_about_either_way
    a_pull_that_fails_before_the_first_push_leaves_the_connection_usable
    a_stream_of_changes_may_be_asked_for_of_a_server_that_has_none
    a_database_in_memory_is_synchronised_and_keeps_its_shape_until_a_push
}
