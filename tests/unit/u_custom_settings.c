#include "sql/custom_settings.h"

#include "check.h"

/* A script → the settings of the application's own that it mentions. */
static const struct {
	const char *text, *names;
} cases[] = {
	{ "SELECT set_config('app.Tenant', '1', false)", "'app.tenant'" },
	{ "DO 'BEGIN PERFORM SET_CONFIG ( ''app.a'', f(1), false); END'", "'app.a'" },
	{ "DO $$ BEGIN PERFORM set_config('app.a', 'x)', true); PERFORM current_setting('app.b', true); END $$", "'app.b'" },
	{ "SELECT current_setting('app.a'), current_setting('b.c')", "'app.a', 'b.c'" },
	{ "SELECT set_config('search_path', 'app', false), set_config(name, '1', false), set_config", "" },
	{ "SELECT set_config('app.a'", "'app.a'" },
	{ "SELECT set_config('app.a; DROP', '1', false), set_config('app.a", "" },
};

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct bytes names = { 0 };

		custom_settings_sql(&names, cases[i].text);
		check_text(cases[i].text, bytes_text(&names), cases[i].names);
		bytes_free(&names);
	}
	return checks_failed();
}
