/* cluster - what a superuser has to make once: roles, the database, schemas, the search path.
 *
 * Safe to repeat; passwords are set to those of secrets_dir each time, so that a rotated password
 * takes effect by running migrate again. */
#ifndef MOMENT_CTL_CLUSTER_H
#define MOMENT_CTL_CLUSTER_H

#include "base/macros.h"

#include <libpq-fe.h>

/* CTL_OK or CTL_FAILED after printing. */
must_check int cluster_prepare(PGconn *admin);

#endif
