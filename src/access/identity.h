/*
 * identity.h
 *		Who is asking.
 */
#ifndef TERRITORY_IDENTITY_H
#define TERRITORY_IDENTITY_H

/* defines the setting territory.identity */
extern void identity_init(void);

/* Does the application say who is asking, instead of the database role? */
extern bool identity_is_setting(void);

/* the value of the application's setting, JSON perhaps; NULL: there is none, or the database role says who is asking */
extern const char *identity_setting(void);

/* the person, palloc'd; NULL: nobody, who sees nothing */
extern char *identity_member(void);

#endif							/* TERRITORY_IDENTITY_H */
