"""Sponsor lines in pages made by Python: 150 ms at most, and nothing on any fault."""

from sponsor_slots.client import SponsorClient as SponsorClient
from sponsor_slots.markup import Markup as Markup
