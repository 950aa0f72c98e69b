"""The setup dialog's memory: what the admin has filled in so far, and the rollout it becomes."""

from __future__ import annotations

from datetime import datetime, time

from pydantic import BaseModel, ConfigDict

from bot.model import FormerSignIn, Provisioning, Region, ReminderPolicy, Rollout, one_click_link
from bot.texts import zone


class Draft(BaseModel):
    """A rollout being set up. Everything has a default, so that any step can be shown at any time."""

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
    at_most: int = 4
    weekdays: tuple[int, ...] = (0, 1, 2, 3, 4)
    hour_from: int = 9
    hour_to: int = 17
    deadline: str = ""  # YYYY-MM-DD, a day in the admin's time zone

    @property
    def one_click_link(self) -> str:
        """What is used when no login URL was pasted."""
        return one_click_link(self.region, self.enterprise_key)

    @classmethod
    def of(cls, rollout: Rollout, admin_zone: str) -> Draft:
        """An existing rollout, to be changed."""
        policy = rollout.policy
        deadline = policy.deadline.astimezone(zone(admin_zone)).date().isoformat() if policy.deadline else ""
        return cls(
            **rollout.model_dump(include=set(cls.model_fields)),
            **policy.model_dump(exclude={"deadline"}),
            deadline=deadline,
        )

    def policy(self, admin_zone: str) -> ReminderPolicy:
        """The reminder policy; the deadline is the end of its day where the admin is."""
        fields = self.model_dump(include=set(ReminderPolicy.model_fields) - {"deadline"})
        end = None
        if self.deadline:
            end = datetime.combine(datetime.fromisoformat(self.deadline).date(), time(23, 59), zone(admin_zone))
        return ReminderPolicy(**fields, deadline=end)

    def rollout(self, rollout_id: str, company: str, admin_id: str, admin_zone: str, now: datetime) -> Rollout:
        """The rollout that this draft describes, as version 1."""
        fields = self.model_dump(include=set(Rollout.model_fields) & set(Draft.model_fields))
        return Rollout(
            **{**fields, "login_url": self.login_url or self.one_click_link},
            id=rollout_id,
            company=company,
            policy=self.policy(admin_zone),
            created_by=admin_id,
            created_at=now,
            version=1,
        )
