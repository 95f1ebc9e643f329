/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NONO_NUMBER_H
#define NONO_NUMBER_H

/* Returns the number nearest to the decimal text, whatever the locale of the
 * program: strtod(3) would expect "1,5" after setlocale(LC_ALL, "de_DE"). The
 * text must be a number by the grammar of JSON; too large ones are infinite. */
double nono_sys_parse_double(const char *text);

#endif /* NONO_NUMBER_H */
