from .parameter import Parameter, Buffer
from . import functional
from .module import Module
from .containers import *
from .parameter_containers import *
