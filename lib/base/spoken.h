/*
 * Commands in what is printed, as they are typed where `mig` alone is there: in a container that has this one file, without the
 * names of the five programs and perhaps without a shell.  Records keep the names of the programs, so that a plan is the same
 * however it was made.
 */
#ifndef MIG_BASE_SPOKEN_H
#define MIG_BASE_SPOKEN_H

/* The program was called as `mig COMMAND`: from now on. */
void spoken_begin(void);

/*
 * A copy of lines that are about to be printed; the caller frees it.  A command is what base/shell_quote.h has written, at the
 * beginning of a line or behind a colon, two blanks or a parenthesis, up to two blanks or the end of the line:
 *
 *	mig-scan m | mig-plan --to=2_b | mig-apply    mig deploy m --to=2_b
 *	mig-scan m | mig-plan                         mig plan m
 *	mig-scan | mig-check history                  mig check history
 *	mig-apply plan.rec                            mig apply plan.rec
 *
 * Where one command line would not say the same, as with two strings, each program is named: mig scan | mig plan - | mig apply.
 */
char *spoken(const char *lines);

#endif
