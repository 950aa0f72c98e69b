"""The setup dialog's memory: what the admin has filled in so far, and the rollout it becomes."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from bot.model import FormerSignIn, Interval, Provisioning, Region, ReminderPolicy, Rollout, one_click_link


class Draft(BaseModel):
    """A rollout being set up. Everything has a default, so that any step can be shown at any time: of a new rollout,
    the defaults are what the dialog proposes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    enterprise_key: str = ""
    region: Region = Region.EU
    login_url: str = ""
    provisioning: Provisioning = Provisioning.JIT
    groups_exist: bool = False
    domain_verified: bool = False
    former_sign_in: tuple[FormerSignIn, ...] = ()
    organizations: tuple[str, ...] = ()
    uses_tokens: bool = False
    first_after_days: int = 2
    every_days: int = 3
    interval: Interval = Interval.FIXED
    at_most: int = 4
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    hour_from: int = 9
    hour_to: int = 17
    skip_holidays: bool = True
    holiday_country: str = ""
    deadline: str = ""  # YYYY-MM-DD
    final_notice: bool = True
    base: Draft | None = None  # the rollout as it was when this change of it began
    base_version: int = 0  # the newest version of it that the admin has seen

    @property
    def one_click_link(self) -> str:
        """What is used when no login URL was pasted."""
        return one_click_link(self.region, self.enterprise_key)

    @classmethod
    def of(cls, rollout: Rollout) -> Draft:
        """An existing rollout."""
        policy = rollout.policy
        return cls(
            **rollout.model_dump(include=set(cls.model_fields)),
            **policy.model_dump(exclude={"deadline"}),
            deadline=policy.deadline.isoformat() if policy.deadline else "",
        )

    @classmethod
    def to_change(cls, rollout: Rollout) -> Draft:
        """The same, to be changed: it remembers what it began from."""
        base = cls.of(rollout)
        return base.model_copy(update={"base": base, "base_version": rollout.version})

    def policy(self) -> ReminderPolicy:
        """The reminder policy."""
        fields = self.model_dump(include=set(ReminderPolicy.model_fields))
        return ReminderPolicy.model_validate({**fields, "deadline": self.deadline or None})

    def rollout(self, rollout_id: str, company: str, admin_id: str, now: datetime) -> Rollout:
        """The rollout that this draft describes, as version 1."""
        fields = self.model_dump(include=set(Rollout.model_fields) & set(Draft.model_fields))
        return Rollout(
            **{**fields, "login_url": self.login_url or self.one_click_link},
            id=rollout_id,
            company=company,
            policy=self.policy(),
            created_by=admin_id,
            created_at=now,
            version=1,
        )
