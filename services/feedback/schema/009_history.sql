-- The history of all evaluations, newest first: a page of it is not a reading of everything.
create index evaluation_history on evaluation (evaluated_at desc, evaluation_id desc, revision desc);
