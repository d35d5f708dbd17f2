-- What people did, newest first, of everybody and of one: a page of it is not a reading of everything.
create index act_page on act (at desc, act_id desc);
create index act_of_user on act (user_id, at desc, act_id desc);
