/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts, as far as Swift without its big tables and without a locale of its own cannot read them. Not installed. */
#ifndef NONO_TEXT_H
#define NONO_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the number nearest to the decimal text, whatever the locale of the
 * program: strtod(3) would expect "1,5" after setlocale(LC_ALL, "de_DE"). The
 * text must be a number by the grammar of JSON; too large ones are infinite. */
double nono_sys_parse_double(const char *text);

/* Whether an error message shows a character as it is (printable.c). */
bool nono_sys_is_printable(uint32_t scalar);

#endif
