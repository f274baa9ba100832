"""The client's side of sync: requests, one session, the schedule, enrolment. No window, no thread of its own."""
