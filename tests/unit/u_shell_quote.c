#include "base/shell_quote.h"

#include "check.h"

static const struct {
	const char *word, *typed;
} words[] = {
	{ "prisma/migrations", "prisma/migrations" }, { "", "''" }, { "a b", "'a b'" }, { "it's", "'it'\\''s'" },
	{ "$(id)", "'$(id)'" }, { "`id`", "'`id`'" }, { "~", "'~'" }, { "a\\b", "'a\\b'" }, { "--to=a b", "--to='a b'" },
	{ "--to=it's", "--to='it'\\''s'" }, { "--to", "--to" }, { "-d", "-d" }, { "*", "'*'" }, { "a;b", "'a;b'" },
	{ "env:DATABASE_URL", "env:DATABASE_URL" }, { "p\xC3\xBC", "'p\xC3\xBC'" }, { "!x", "'!x'" }, { "#x", "'#x'" },
};

static void
pipeline(void)
{
	struct shell_words w = { 0 };
	struct bytes typed = { 0 };

	shell_program(&w, "mig-scan");
	shell_option(&w, "-d", "env:PROD URL");
	shell_path(&w, "-odd/it's");
	shell_program(&w, "mig-plan");
	shell_option(&w, "--to", "20240101_a b");
	shell_command(&typed, shell_words(&w));
	check_text("a pipeline", bytes_text(&typed), "mig-scan -d 'env:PROD URL' './-odd/it'\\''s' | mig-plan --to='20240101_a b'");
	bytes_free(&typed);
	shell_path(&w, "two\nlines");
	check("a word of two lines makes it unknown", shell_words(&w) == NULL);
	shell_words_free(&w);
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++) {
		struct bytes out = { 0 };

		shell_word(&out, words[i].word);
		check_text(words[i].word, bytes_text(&out), words[i].typed);
		bytes_free(&out);
	}
	pipeline();
	return checks_failed();
}
