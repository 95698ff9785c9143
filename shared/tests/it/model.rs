//! Random interleavings of everything that workers and people do, compared with a model after
//! every step. Calls are repeated at random, as if their replies had been lost, and come from
//! leases that were lost long ago. The results do not depend on the number of shards.

use crate::support::*;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use shared::job::{DocumentCounts, JobStatus};
use shared::outcome::Outcome;
use shared::queue::*;
use shared::stage::Stage;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use testkit::{Choices, RedisServer};
use uuid::Uuid;

const MAX_ERRORS: u32 = 3;
const MAX_CRASHES: u32 = 2;

#[derive(Clone, Debug)]
enum Step {
    Submit,
    Claim(usize),
    Extend(Index, u64),
    Seal(Index, u64),
    Abort(Index),
    Publish(Index, u8),
    Complete(Index, Outcome),
    Fail(Index),
    Postpone(Index),
    Release(Index),
    Finish(Index),
    Expire(Index),
    Beat,
    Cancel(Index),
    Pause(Index),
    Resume(Index),
}

fn step() -> impl Strategy<Value = Step> {
    let any = any::<Index>;
    let outcome = proptest::sample::select(&Outcome::ALL[..]);
    prop_oneof![
        1 => Just(Step::Submit),
        8 => (1usize..=6).prop_map(Step::Claim),
        2 => (any(), 0u64..4).prop_map(|(lease, more)| Step::Extend(lease, more)),
        3 => (any(), 0u64..3).prop_map(|(lease, more)| Step::Seal(lease, more)),
        1 => any().prop_map(Step::Abort),
        3 => (any(), 1u8..=14).prop_map(|(lease, stage)| Step::Publish(lease, stage)),
        8 => (any(), outcome).prop_map(|(lease, outcome)| Step::Complete(lease, outcome)),
        3 => any().prop_map(Step::Fail),
        1 => any().prop_map(Step::Postpone),
        2 => any().prop_map(Step::Release),
        3 => any().prop_map(Step::Finish),
        3 => any().prop_map(Step::Expire),
        1 => Just(Step::Beat),
        1 => any().prop_map(Step::Cancel),
        1 => any().prop_map(Step::Pause),
        2 => any().prop_map(Step::Resume),
    ]
}

/// What a job must look like.
struct Job {
    shard: u16,
    status: JobStatus,
    started: bool,
    ending: Option<JobStatus>,
    /// The finishing unit exists.
    decided: bool,
    sealed: bool,
    cursor: u64,
    counts: DocumentCounts,
    waiting: HashSet<Unit>,
    held: HashMap<Unit, u64>,
    errors: HashMap<Unit, u32>,
    crashes: HashMap<Unit, u32>,
}

impl Job {
    fn new(shard: u16) -> Job {
        Job {
            shard,
            status: JobStatus::Queued,
            started: false,
            ending: None,
            decided: false,
            sealed: false,
            cursor: 0,
            counts: DocumentCounts::default(),
            waiting: HashSet::from([Unit::List]),
            held: HashMap::new(),
            errors: HashMap::new(),
            crashes: HashMap::new(),
        }
    }

    fn holds(&self, lease: &Lease) -> bool {
        self.held.get(&lease.unit) == Some(&lease.fence)
    }

    fn is_claimable(&self) -> bool {
        self.is_claimable_with(false)
    }

    /// Whether there is something for a worker that has a document on its last chance already.
    fn is_claimable_with(&self, burdened: bool) -> bool {
        let open = !self.status.is_final() && self.status != JobStatus::Paused;
        let waits = self.waiting.iter().any(|unit| !burdened || !self.is_last_chance(unit));
        open && (waits || self.cursor < self.counts.total)
    }

    /// One more crash would end the document.
    fn is_last_chance(&self, unit: &Unit) -> bool {
        matches!(unit, Unit::Document { .. })
            && self.crashes.get(unit).is_some_and(|crashes| *crashes == MAX_CRASHES - 1)
    }

    fn last_chances_held(&self) -> usize {
        self.held.keys().filter(|unit| self.is_last_chance(unit)).count()
    }

    fn stop(&mut self, ending: JobStatus) {
        self.ending = Some(ending);
        let waiting = self.waiting.iter().filter(|unit| **unit != Unit::List).count() as u64;
        self.counts.cancelled += waiting + self.counts.total - self.cursor;
        self.cursor = self.counts.total;
        self.sealed = true;
        self.waiting.clear();
    }

    fn decide(&mut self) {
        let ended = self.counts.ended() == self.counts.total;
        let open = !self.status.is_final() && !self.decided;
        if open && self.sealed && self.held.is_empty() && ended {
            self.decided = true;
            self.waiting.insert(Unit::Finish);
            if self.status == JobStatus::Paused {
                self.status = JobStatus::Running;
            }
        }
    }

    fn verdict(&self) -> JobStatus {
        let with_errors = self.counts.failed > 0;
        let completed =
            if with_errors { JobStatus::CompletedWithErrors } else { JobStatus::Completed };
        self.ending.unwrap_or(completed)
    }

    /// A unit was dropped after an error or a crash; `dead` when that was one too many.
    fn give_back(&mut self, unit: Unit, dead: bool) {
        match unit {
            Unit::Finish if dead => self.status = JobStatus::Failed,
            Unit::List if self.ending.is_some() => {}
            Unit::List if dead => self.stop(JobStatus::Failed),
            Unit::Document { .. } if self.ending.is_some() => self.counts.cancelled += 1,
            Unit::Document { .. } if dead => self.counts.failed += 1,
            _ => {
                self.waiting.insert(unit);
            }
        }
    }
}

/// The queue and its model side by side.
struct Pair<'a> {
    bench: &'a Bench,
    shards: u16,
    jobs: HashMap<Uuid, Job>,
    /// Jobs that the last step had to do with.
    touched: HashSet<Uuid>,
    /// All leases ever given out, lost ones included, and whether their holder was answered.
    leases: Vec<(Lease, bool)>,
    publications: HashMap<Lease, u32>,
}

impl Pair<'_> {
    fn pick(&mut self, index: &Index, fits: impl Fn(&Unit) -> bool) -> Option<usize> {
        let fitting: Vec<usize> =
            (0..self.leases.len()).filter(|at| fits(&self.leases[*at].0.unit)).collect();
        let at = (!fitting.is_empty()).then(|| *index.get(&fitting))?;
        self.touched.insert(self.leases[at].0.job_id);
        Some(at)
    }

    /// Where a job was put.
    fn shard_of(&self, id: Uuid) -> u16 {
        let mut connection = self.bench.redis.connection();
        let mut has = |shard: &u16| -> bool {
            let key = format!("{{tq:{shard:02}}}:job:{id}");
            redis::cmd("EXISTS").arg(key).query(&mut connection).unwrap()
        };
        (0..self.shards).find(&mut has).unwrap()
    }

    fn job_of(&mut self, index: &Index) -> Option<Uuid> {
        let mut ids: Vec<Uuid> = self.jobs.keys().copied().collect();
        ids.sort();
        let id = (!ids.is_empty()).then(|| *index.get(&ids))?;
        self.touched.insert(id);
        Some(id)
    }

    /// What giving up a lease must answer; the model drops it.
    fn settle(&mut self, at: usize) -> Settled {
        let (lease, answered) = self.leases[at];
        let job = self.jobs.get_mut(&lease.job_id).unwrap();
        if job.holds(&lease) {
            job.held.remove(&lease.unit);
            self.leases[at].1 = true;
            Settled::Counted
        } else if answered {
            Settled::Already
        } else {
            Settled::Lost
        }
    }

    async fn step(&mut self, step: &Step) {
        let queue = self.bench.queue.clone();
        let is_list = |unit: &Unit| *unit == Unit::List;
        let is_document = |unit: &Unit| matches!(unit, Unit::Document { .. });
        match step {
            Step::Submit => {
                let job = new_job();
                assert!(reached(async || queue.submit(&job).await).await.created);
                assert!(!reached(async || queue.submit(&job).await).await.created);
                let shard = self.shard_of(job.id);
                self.jobs.insert(job.id, Job::new(shard));
                self.touched.insert(job.id);
            }
            Step::Claim(slots) => self.claim(*slots).await,
            Step::Extend(index, more) => {
                let Some(at) = self.pick(index, is_list) else { return };
                let lease = self.leases[at].0;
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                let total = job.counts.total + more;
                let expected = match (job.holds(&lease), job.ending) {
                    (false, _) => Listing::Lost,
                    (true, Some(_)) => Listing::Cancelled,
                    (true, None) => {
                        job.counts.total = total;
                        Listing::Held
                    }
                };
                for _ in 0..2 {
                    assert_eq!(
                        reached(async || queue.extend(&lease, total, "here").await).await,
                        expected
                    );
                }
            }
            Step::Seal(index, more) => {
                let Some(at) = self.pick(index, is_list) else { return };
                let lease = self.leases[at].0;
                let total = self.jobs[&lease.job_id].counts.total + more;
                let settled = self.settle(at);
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                if settled == Settled::Counted && job.ending.is_none() {
                    job.counts.total = total;
                    job.sealed = true;
                }
                job.decide();
                assert_eq!(reached(async || queue.seal(&lease, total).await).await, settled);
                let again = self.settle(at);
                assert_eq!(reached(async || queue.seal(&lease, total).await).await, again);
            }
            Step::Abort(index) => {
                let Some(at) = self.pick(index, is_list) else { return };
                let lease = self.leases[at].0;
                let settled = self.settle(at);
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                if settled == Settled::Counted && job.ending.is_none() {
                    job.stop(JobStatus::Failed);
                }
                job.decide();
                assert_eq!(reached(async || queue.abort(&lease, "нет").await).await, settled);
                let again = self.settle(at);
                assert_eq!(reached(async || queue.abort(&lease, "нет").await).await, again);
            }
            Step::Publish(index, stage) => {
                let Some(at) = self.pick(index, is_document) else { return };
                let lease = self.leases[at].0;
                let job = &self.jobs[&lease.job_id];
                let expected = match (job.holds(&lease), job.ending) {
                    (false, _) => Published::Lost,
                    (true, Some(_)) => Published::Cancelled,
                    (true, None) => Published::Accepted,
                };
                let n = self.publications.entry(lease).or_default();
                *n += 1;
                let document = name_of(&lease);
                let body = stage_body(Stage::ALL[usize::from(*stage) - 1], &document);
                for _ in 0..2 {
                    assert_eq!(
                        reached(async || queue.publish(&lease, *n, &body).await).await,
                        expected
                    );
                }
            }
            Step::Complete(index, outcome) => {
                let Some(at) = self.pick(index, is_document) else { return };
                let lease = self.leases[at].0;
                let settled = self.settle(at);
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                if settled == Settled::Counted {
                    *job.counts.of(*outcome) += 1;
                }
                job.decide();
                assert_eq!(self.bench.complete(&lease, *outcome).await, settled);
                let again = self.settle(at);
                assert_eq!(self.bench.complete(&lease, *outcome).await, again);
            }
            Step::Fail(index) => {
                let Some(at) = self.pick(index, is_document) else { return };
                let lease = self.leases[at].0;
                let document = name_of(&lease);
                let ending = ending(Outcome::Failed, &document);
                let failed = reached(async || queue.fail(&lease, &ending, None).await).await;
                assert_eq!(reached(async || queue.fail(&lease, &ending, None).await).await, failed);
                self.failed(at, failed, MAX_ERRORS);
            }
            Step::Postpone(index) => {
                let Some(at) = self.pick(index, |unit| !is_document(unit)) else { return };
                let lease = self.leases[at].0;
                let failed = reached(async || queue.postpone(&lease, "занято").await).await;
                assert_eq!(reached(async || queue.postpone(&lease, "занято").await).await, failed);
                self.failed(at, failed, MAX_ERRORS);
            }
            Step::Release(index) => {
                let Some(at) = self.pick(index, |_| true) else { return };
                let lease = self.leases[at].0;
                let settled = self.settle(at);
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                if settled == Settled::Counted {
                    job.give_back(lease.unit, false);
                }
                job.decide();
                assert_eq!(reached(async || queue.release(&lease).await).await, settled);
                let again = self.settle(at);
                assert_eq!(reached(async || queue.release(&lease).await).await, again);
            }
            Step::Finish(index) => {
                let Some(at) = self.pick(index, |unit| *unit == Unit::Finish) else { return };
                let lease = self.leases[at].0;
                let settled = self.settle(at);
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                if settled == Settled::Counted {
                    job.status = job.verdict();
                }
                assert_eq!(reached(async || queue.finish(&lease).await).await, settled);
                let again = self.settle(at);
                assert_eq!(reached(async || queue.finish(&lease).await).await, again);
            }
            Step::Expire(index) => self.expire(index).await,
            Step::Beat => {
                let leases: Vec<Lease> = self.leases.iter().map(|(lease, _)| *lease).collect();
                let beats = reached(async || queue.beat(&self.bench.worker, &leases).await).await;
                for (lease, beat) in leases.iter().zip(beats) {
                    let job = &self.jobs[&lease.job_id];
                    let expected = match (job.holds(lease), lease.unit) {
                        (false, _) => Beat::Lost,
                        (true, Unit::Finish) => Beat::Held,
                        _ if job.ending.is_some() => Beat::Cancelled,
                        _ if job.status == JobStatus::Paused => Beat::Paused,
                        _ => Beat::Held,
                    };
                    assert_eq!(beat, expected, "{lease:?}");
                }
            }
            Step::Cancel(index) => {
                let Some(id) = self.job_of(index) else { return };
                let job = self.jobs.get_mut(&id).unwrap();
                if job.ending.is_none() && !job.decided {
                    job.status = JobStatus::Cancelling;
                    job.stop(JobStatus::Cancelled);
                    job.decide();
                }
                assert_eq!(reached(async || queue.cancel(id).await).await, job.status);
            }
            Step::Pause(index) => {
                let Some(id) = self.job_of(index) else { return };
                let job = self.jobs.get_mut(&id).unwrap();
                let open = matches!(job.status, JobStatus::Queued | JobStatus::Running);
                if open && job.ending.is_none() && !job.decided {
                    job.status = JobStatus::Paused;
                }
                assert_eq!(reached(async || queue.pause(id).await).await, job.status);
            }
            Step::Resume(index) => {
                let Some(id) = self.job_of(index) else { return };
                let job = self.jobs.get_mut(&id).unwrap();
                if job.status == JobStatus::Paused {
                    job.status = if job.started { JobStatus::Running } else { JobStatus::Queued };
                }
                assert_eq!(reached(async || queue.resume(id).await).await, job.status);
            }
        }
    }

    async fn claim(&mut self, slots: usize) {
        let claim_id = Uuid::new_v4();
        let queue = &self.bench.queue;
        let claims = reached(async || queue.claim(&self.bench.worker, claim_id, slots).await).await;
        assert_eq!(
            reached(async || queue.claim(&self.bench.worker, claim_id, slots).await).await,
            claims
        );
        for claim in &claims {
            let unit = claim.lease.unit;
            let job = self.jobs.get_mut(&claim.lease.job_id).unwrap();
            assert!(job.is_claimable(), "{claim:?}");
            if !job.waiting.remove(&unit) {
                assert_eq!(unit, Unit::Document { index: job.cursor }, "given out twice");
                job.cursor += 1;
            }
            let crashes = job.crashes.get(&unit).copied().unwrap_or(0);
            let errors = job.errors.get(&unit).copied().unwrap_or(0);
            match (&claim.task, unit) {
                (Task::List { total, .. }, Unit::List) => assert_eq!(*total, job.counts.total),
                (Task::Finish { verdict, .. }, Unit::Finish) => assert_eq!(*verdict, job.verdict()),
                (Task::RecordLost { .. }, Unit::Document { .. }) => assert!(crashes >= MAX_CRASHES),
                (Task::Train { last_attempt, .. }, Unit::Document { .. }) => {
                    assert!(crashes < MAX_CRASHES);
                    assert_eq!(*last_attempt, errors + 1 >= MAX_ERRORS);
                }
                _ => panic!("{claim:?}"),
            }
            assert_eq!(claim.lease.attempt, errors + crashes + 1);
            assert!(job.held.insert(unit, claim.lease.fence).is_none(), "held twice");
            if job.status == JobStatus::Queued {
                job.status = JobStatus::Running;
                job.started = true;
            }
            self.leases.push((claim.lease, false));
            self.touched.insert(claim.lease.job_id);
        }
        // One document on its last chance per worker and shard.
        let mut burdened = HashSet::new();
        for job in self.jobs.values() {
            for _ in 0..job.last_chances_held() {
                assert!(burdened.insert(job.shard), "two documents on their last chance");
            }
        }
        let left =
            self.jobs.values().any(|job| job.is_claimable_with(burdened.contains(&job.shard)));
        assert!(claims.len() == slots || !left, "{} of {slots} claimed, more left", claims.len());
    }

    fn failed(&mut self, at: usize, failed: Failed, max_errors: u32) {
        let (lease, answered) = self.leases[at];
        if self.settle(at) != Settled::Counted {
            assert!(answered || failed == Failed::Lost, "{failed:?}");
            return;
        }
        let job = self.jobs.get_mut(&lease.job_id).unwrap();
        let errors = job.errors.entry(lease.unit).or_default();
        *errors += 1;
        let dead = *errors >= max_errors;
        let cancelled = job.ending.is_some() && lease.unit != Unit::Finish;
        let expected = match (cancelled, dead) {
            (true, _) => Failed::Cancelled,
            (_, true) => Failed::Dead,
            _ => Failed::Retry { after: Duration::ZERO },
        };
        assert_eq!(failed, expected);
        job.give_back(lease.unit, dead);
        job.decide();
    }

    /// A worker dies: its lease is made to expire now.
    async fn expire(&mut self, index: &Index) {
        let Some(at) = self.pick(index, |_| true) else { return };
        let lease = self.leases[at].0;
        let job = self.jobs.get_mut(&lease.job_id).unwrap();
        if !job.holds(&lease) {
            return;
        }
        let number = match lease.unit {
            Unit::List => -2,
            Unit::Finish => -1,
            Unit::Document { index } => index as i64,
        };
        for shard in 0..self.shards {
            redis::cmd("ZADD")
                .arg(format!("{{tq:{shard:02}}}:exp"))
                .arg(&["XX", "1"])
                .arg(format!("{}:{number}", lease.job_id))
                .exec(&mut self.bench.redis.connection())
                .unwrap();
        }
        assert_eq!(reached(async || self.bench.queue.reap().await).await.expired, 1);
        job.held.remove(&lease.unit);
        let crashes = job.crashes.entry(lease.unit).or_default();
        *crashes += 1;
        let dead = *crashes >= MAX_CRASHES && !matches!(lease.unit, Unit::Document { .. });
        job.give_back(lease.unit, dead);
        job.decide();
    }

    /// Compares the jobs that the last step had to do with, and the sums over all jobs.
    async fn check(&mut self) {
        for id in std::mem::take(&mut self.touched) {
            let (id, job) = (&id, &self.jobs[&id]);
            let view = self.bench.view(*id).await;
            assert_eq!(view.status, job.status);
            assert_eq!(view.documents, job.counts);
            let running = reached(async || self.bench.queue.running_documents(*id).await).await;
            let held: HashSet<Unit> = running.into_iter().map(|document| document.unit).collect();
            assert_eq!(held, job.held.keys().copied().collect());
        }
        let leased: usize = self.jobs.values().map(|job| job.held.len()).sum();
        let depth = reached(async || self.bench.queue.queue_depth().await).await;
        assert_eq!(depth.leased, leased as u64);
        let claimable = self.jobs.values().filter(|job| job.is_claimable()).count();
        assert_eq!((depth.ready, depth.waiting), (claimable as u64, 0));
    }

    /// Lets everything end, then looks at the logs.
    async fn drain(&mut self) {
        for (id, job) in &mut self.jobs {
            if job.status == JobStatus::Paused {
                job.status = if job.started { JobStatus::Running } else { JobStatus::Queued };
                reached(async || self.bench.queue.resume(*id).await).await;
            }
        }
        loop {
            let open: Vec<Lease> = self
                .leases
                .iter()
                .map(|(lease, _)| *lease)
                .filter(|lease| self.jobs[&lease.job_id].holds(lease))
                .collect();
            for lease in &open {
                let job = self.jobs.get_mut(&lease.job_id).unwrap();
                job.held.remove(&lease.unit);
                match lease.unit {
                    Unit::List => {
                        let total = job.counts.total;
                        job.sealed = true;
                        reached(async || self.bench.queue.seal(lease, total).await).await;
                    }
                    Unit::Document { .. } => {
                        job.counts.completed += 1;
                        self.bench.complete(lease, Outcome::Completed).await;
                    }
                    Unit::Finish => {
                        job.status = job.verdict();
                        reached(async || self.bench.queue.finish(lease).await).await;
                    }
                }
                job.decide();
            }
            let before = self.leases.len();
            self.claim(6).await;
            if open.is_empty() && self.leases.len() == before {
                break;
            }
        }
        self.touched.extend(self.jobs.keys());
        self.check().await;
        for (id, job) in &self.jobs {
            assert!(job.status.is_final(), "{:?} never ended", job.status);
            assert_eq!(job.counts.ended(), job.counts.total);
            let log = self.bench.log(*id).await;
            assert!(log.last().unwrap().is_final);
        }
    }
}

/// Steps of one case, and how many cases together make the 10⁵ of the design.
const STEPS: std::ops::RangeInclusive<usize> = 100..=300;
const CASES: u32 = 520;

/// Most cases have one shard, as most installations.
const SHARDS: [u16; 8] = [1, 1, 1, 1, 1, 1, 3, 16];

#[test]
fn the_queue_does_what_its_model_does() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bench_with = |shards| {
        let times = QueueTimes {
            // Only a step lets a lease run out or loses a reply, however slow the machine is.
            lease: Duration::from_secs(3600),
            command: Duration::from_secs(120),
            backoff: Duration::ZERO,
            crash_delay: Duration::ZERO,
            max_errors: MAX_ERRORS,
            max_job_errors: MAX_ERRORS,
            max_crashes: MAX_CRASHES,
            shards: Some(shards),
            ..QueueTimes::default()
        };
        (shards, runtime.block_on(Bench::on(RedisServer::start(), times)))
    };
    let benches = HashMap::from([1, 3, 16].map(bench_with));
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    };
    let done = std::cell::Cell::new(0);
    let case = |(steps, shards): (Vec<Step>, u16)| {
        let bench = &benches[&shards];
        redis::cmd("FLUSHALL").exec(&mut bench.redis.connection()).unwrap();
        let mut pair = Pair {
            bench,
            shards,
            jobs: HashMap::new(),
            touched: HashSet::new(),
            leases: Vec::new(),
            publications: HashMap::new(),
        };
        runtime.block_on(async {
            for (number, step) in steps.iter().enumerate() {
                pair.step(step).await;
                // A step must leave the other jobs alone.
                if number % 16 == 0 {
                    pair.touched.extend(pair.jobs.keys());
                }
                pair.check().await;
                done.set(done.get() + 1);
            }
            pair.drain().await;
        });
        Ok(())
    };
    let steps = (prop::collection::vec(step(), STEPS), prop::sample::select(&SHARDS[..]));
    let mut choices = Choices::of_test();
    let seed: Vec<u8> = (0..32).map(|_| choices.below(256) as u8).collect();
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    // A failure prints its history, shortened as far as it still fails, below the seed.
    let result = TestRunner::new_with_rng(config, random).run(&steps, case);
    println!("{} steps", done.get());
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(done.get() >= 100_000, "{} steps", done.get());
}
