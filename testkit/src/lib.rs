//! A real redis-server per test, fixtures, fault tools.
