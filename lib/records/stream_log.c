/* The record of a log of deploys. */
#include "records/form.h"
#include "records/model.h"
#include "records/record.h"
#include "records/words.h"

static const struct field deployed_fields[] = {
	TEXT(deployed, file),
	WORD(deployed, status, deployed_status_words),
	TEXT(deployed, plan_digest),
	TEXT_OR_NULL(deployed, system_identifier),
	TEXT_OR_NULL(deployed, database),
	TEXT_OR_NULL(deployed, schema),
	TEXT_OR_NULL(deployed, host),
	NUMBER_OR_NULL(deployed, port),
	TEXT_OR_NULL(deployed, user),
	TEXT_OR_NULL(deployed, role),
	TEXT(deployed, started_at),
	TEXT_OR_NULL(deployed, server_time),
	TEXT_OR_NULL(deployed, lsn),
	NUMBER_OR_NULL(deployed, timeline),
	TEXT_OR_NULL(deployed, restore_point),
	TEXT_OR_NULL(deployed, deployer),
	TEXT_OR_NULL(deployed, deployer_host),
	TEXT_OR_NULL(deployed, job),
	TEXT_OR_NULL(deployed, note),
	NUMBER(deployed, steps),
	NUMBER(deployed, done),
	TEXT_LIST(deployed, migrations),
	TEXT_OR_NULL(deployed, stopped_at),
	TEXT_OR_NULL(deployed, sqlstate),
	TEXT_OR_NULL(deployed, message),
	LAST,
};
const struct record_form deployed_form = { "deployed", deployed_fields };
