/*
 * rule.h
 *		Rows of territory.rule.
 */
#ifndef TERRITORY_RULE_H
#define TERRITORY_RULE_H

/* columns; an upgrade only appends */
#define Anum_rule_id			1
#define Anum_rule_node_id		2
#define Anum_rule_object		3
#define Anum_rule_name			4
#define Anum_rule_criteria		5
#define Anum_rule_active		6
#define Anum_rule_expression	7

#endif							/* TERRITORY_RULE_H */
