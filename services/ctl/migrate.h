/* migrate - `momentctl migrate`: every schema file once, in order, as moment_owner.
 *
 * Each file is one transaction together with its row in <schema>.schema_version. A file that is
 * known to the database and not to this program, or whose text has changed since it ran, stops
 * everything before anything is changed. */
#ifndef MOMENT_CTL_MIGRATE_H
#define MOMENT_CTL_MIGRATE_H

#include "ctl/ctl.h"

int migrate_run(const struct ctl_command *command, int argc, char **argv);

#endif
