/* store_directory - the SQL of who is who. Loop thread only. */
#ifndef MOMENT_FEEDBACK_STORE_DIRECTORY_H
#define MOMENT_FEEDBACK_STORE_DIRECTORY_H

#include "io/stream.h"
#include "moment/v1/ingest.pb-c.h"

/* One column each, the body. */
void store_load_sites(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_teams(struct txn *txn, db_result_fn *on_rows, void *arg);
void store_load_people(struct txn *txn, db_result_fn *on_rows, void *arg);

/* Take the place of what was said before. -ENOMEM. */
must_check int store_save_site(struct txn *txn, const Moment__V1__Site *site);
must_check int store_save_team(struct txn *txn, const Moment__V1__Team *team);
must_check int store_save_person(struct txn *txn, const Moment__V1__Person *person);

#endif
