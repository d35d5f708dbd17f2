/* init - `momentctl init [DIR]`: the folder that one machine's services live from.
 *
 *   keys/<name>.secret, .public   CURVE key pairs of the services and of the operator
 *   keys/allow                    who may connect
 *   secrets/<role>.password       passwords of the database roles
 *   etc/<service>.conf            settings of each service, operator.conf of momentctl
 *   run/, log/                    pid files, sockets, logs
 *
 * Idempotent: what is there stays as it is, what is missing is made. */
#ifndef MOMENT_CTL_INIT_H
#define MOMENT_CTL_INIT_H

#include "ctl/ctl.h"

int init_run(const struct ctl_command *command, int argc, char **argv);

#endif
