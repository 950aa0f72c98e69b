"""Problems become cases: the same one of many people is a group, and an answered one can be solved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("problem_case", sa.Column("group_id", sa.String(), nullable=False, server_default=""))
    op.add_column("problem_case", sa.Column("solved_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE problem_case SET group_id = id")
    with op.batch_alter_table("problem_case") as table:
        table.drop_constraint(op.f("ck_problem_case_answer_has_time"), type_="check")
        table.create_check_constraint(
            op.f("ck_problem_case_answer_has_time"), "state <> 'answered' OR answered_at IS NOT NULL"
        )
        table.create_check_constraint(
            op.f("ck_problem_case_solved_has_time"), "(state = 'solved') = (solved_at IS NOT NULL)"
        )
        table.create_check_constraint(op.f("ck_problem_case_is_of_a_group"), "group_id <> ''")
    op.create_index(op.f("ix_problem_case_group_id"), "problem_case", ["group_id"])


def downgrade() -> None:
    # what an invitee calls solved was answered, or never had an answer
    op.execute(
        "UPDATE problem_case SET state = 'answered', answered_at = COALESCE(answered_at, solved_at) "
        "WHERE state = 'solved'"
    )
    op.drop_index(op.f("ix_problem_case_group_id"), "problem_case")
    with op.batch_alter_table("problem_case") as table:
        table.drop_constraint(op.f("ck_problem_case_is_of_a_group"), type_="check")
        table.drop_constraint(op.f("ck_problem_case_solved_has_time"), type_="check")
        table.drop_constraint(op.f("ck_problem_case_answer_has_time"), type_="check")
        table.create_check_constraint(
            op.f("ck_problem_case_answer_has_time"), "(state = 'answered') = (answered_at IS NOT NULL)"
        )
        table.drop_column("solved_at")
        table.drop_column("group_id")
